//! Client certificates are asked for by name, and only where a site takes them.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::certificate;
use crate::gateway::{Gateway, Setup, web};
use crate::lab::http::Response;
use crate::lab::{Pki, curl, realm, servers};

struct Named {
    gateway: Gateway,
    pki: Pki,
    _other: servers::Server,
}

/// `web` takes tickets, `api` demands certificates, `both` takes either.
fn start() -> Named {
    let pki = Pki::new();
    pki.client("alice");
    let other = servers::app();
    let site = |name: &str, mechanisms: &str| {
        format!(
            "[[site]]\nhost = \"{name}\"\nupstream = \"http://127.0.0.1:{}\"\nmechanisms = [{mechanisms}]\n",
            other.port
        )
    };
    let more = site("api.example", "\"certificate\"")
        + &site("both.example", "\"certificate\", \"negotiate\"");
    let offered = "\"certificate\", \"negotiate\"";
    let setup = certificate::setup(&pki, offered, "", &certificate::entries(&["alice"]));
    let gateway = Setup { site: "mechanisms = [\"negotiate\"]", more, ..setup }.start();
    Named { gateway, pki, _other: other }
}

impl Named {
    /// Whether a client that wishes for this name is asked for a certificate.
    fn is_asked(&self, name: &str) -> bool {
        let port = self.gateway.doorward.https_port();
        let mut openssl = Command::new("openssl");
        openssl.args(["s_client", "-connect", &format!("127.0.0.1:{port}")]);
        match name {
            "" => openssl.arg("-noservername"),
            name => openssl.args(["-servername", name]),
        };
        let mut child = openssl
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // TLS 1.3 asks before the handshake is over.
        child.stdin.take().unwrap().write_all(b"Q\n").unwrap();
        let said = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        let nobody = said.contains("No client certificate CA names sent");
        assert_ne!(nobody, said.contains("Acceptable client certificate CA names"), "{said}");
        !nobody
    }

    /// A request of `host` on a connection for `name`.
    fn get(&self, name: &str, host: &str, more: &[&str]) -> Response {
        let port = self.gateway.doorward.https_port();
        let (url, resolve) =
            (format!("https://{name}:{port}/"), format!("{name}:{port}:127.0.0.1"));
        let host = format!("Host: {host}");
        let args = ["--insecure", "--resolve", &resolve, "-H", &host];
        curl(None, &[&args[..], more, &[&url]].concat())
    }
}

#[test]
fn a_certificate_is_asked_for_only_under_names_whose_sites_take_one() {
    let named = start();
    assert!(!named.is_asked(&web()));
    assert!(named.is_asked("api.example"));
    assert!(named.is_asked("API.example"));
    assert!(named.is_asked("both.example"));
    assert!(!named.is_asked("anything.example"), "the site of all names takes none");
    assert!(!named.is_asked(""));
}

#[test]
fn a_site_that_demands_a_certificate_sends_clients_of_other_names_away() {
    let named = start();
    let pem = named.pki.text("alice.pem");
    let with = ["--cert", pem.as_str()];
    for version in ["--http1.1", "--http2"] {
        let args = [&with[..], &[version]].concat();
        assert_eq!(named.get("api.example", "api.example", &args).status, 200);
        let answer = named.get(&web(), "api.example", &args);
        assert_eq!(answer.status, 421, "{version}: {answer:?}");
        assert_eq!(answer.json()["error"], "misdirected");
        // Nobody is sent away where there is another way in.
        assert_eq!(named.get("api.example", &web(), &[version]).status, 401);
    }
    let mixed = |version| named.get(&web(), "both.example", &[version]);
    assert_eq!(mixed("--http1.1").status, 401);
    assert_eq!(mixed("--http2").status, 421, "browsers put several hosts on one connection");
    let _ = realm();
}

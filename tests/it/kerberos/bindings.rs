//! Channel bindings: a token that was made for one TLS connection opens no other.

use std::process::Command;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::http::Response;
use crate::lab::realm::TokenOptions;
use crate::lab::{curl, python, realm};

/// What a client sends along.
#[derive(Clone, Copy, Debug)]
enum Sent {
    Right,
    Wrong,
    Nothing,
}

/// RFC 5929 section 4.1, of the certificate that the gateway shows, by openssl alone.
pub(crate) fn end_point(port: u16) -> Vec<u8> {
    let show = format!(
        "openssl s_client -connect 127.0.0.1:{port} </dev/null 2>/dev/null \
         | openssl x509 -outform DER | openssl dgst -sha256 -binary"
    );
    let hash = Command::new("sh").args(["-c", &show]).output().unwrap().stdout;
    assert_eq!(hash.len(), 32);
    [b"tls-server-end-point:".as_slice(), &hash].concat()
}

fn attempt(gateway: &Gateway, sent: Sent) -> Response {
    attempt_at(gateway, sent, "/.doorward/whoami")
}

fn attempt_at(gateway: &Gateway, sent: Sent, path: &str) -> Response {
    let binding = match sent {
        Sent::Right => Some(end_point(gateway.doorward.https_port())),
        Sent::Wrong => Some(b"tls-server-end-point:another certificate".to_vec()),
        Sent::Nothing => None,
    };
    let options = TokenOptions { binding, ..TokenOptions::default() };
    let token = realm().ticket("alice").tokens_with(&web(), 1, &options).remove(0);
    let header = format!("Authorization: Negotiate {token}");
    curl(None, &["--insecure", "-H", &header, &gateway.doorward.https_url(path)])
}

#[test]
fn each_policy_takes_and_refuses_what_it_says() {
    for (policy, sent, expected) in [
        ("off", Sent::Right, Ok(false)),
        ("off", Sent::Wrong, Ok(false)),
        ("off", Sent::Nothing, Ok(false)),
        ("allow", Sent::Right, Ok(true)),
        ("allow", Sent::Wrong, Err("binding_mismatch")),
        ("allow", Sent::Nothing, Ok(false)),
        ("require", Sent::Right, Ok(true)),
        ("require", Sent::Wrong, Err("binding_mismatch")),
        ("require", Sent::Nothing, Err("binding_missing")),
    ] {
        let sso = match policy {
            "off" => "channel_binding = \"off\"",
            "allow" => "channel_binding = \"allow\"",
            _ => "channel_binding = \"require\"",
        };
        let gateway = Setup { sso, ..Setup::default() }.start();
        let answer = attempt(&gateway, sent);
        let said = answer.json();
        match expected {
            Ok(bound) => {
                assert_eq!(answer.status, 200, "{policy} {sent:?}: {said}");
                assert_eq!(said["channel_bound"], bound, "{policy} {sent:?}: {said}");
            }
            Err(error) => {
                assert_eq!(answer.status, 401, "{policy} {sent:?}: {said}");
                assert_eq!(said["error"], error, "{policy} {sent:?}: {said}");
                assert_eq!(answer.header("set-cookie"), None, "{policy} {sent:?}");
            }
        }
    }
}

#[test]
fn a_relayed_token_does_not_sign_on_by_way_of_forward_auth() {
    let gateway = Gateway::start();
    let relayed = attempt_at(&gateway, Sent::Wrong, "/.doorward/auth");
    assert_eq!(relayed.status, 401, "{relayed:?}");
    assert_eq!(relayed.json()["error"], "binding_mismatch");
    assert_eq!(relayed.header("set-cookie"), None);
    assert_eq!(attempt_at(&gateway, Sent::Right, "/.doorward/auth").status, 200);
}

#[test]
fn requests_gssapi_signs_on_where_bindings_are_required() {
    let gateway = Setup { sso: "channel_binding = \"require\"", ..Setup::default() }.start();
    let script = format!(
        "import requests, requests_gssapi as g, urllib3\n\
         urllib3.disable_warnings()\n\
         for bindings in ['tls-server-end-point', None]:\n\
         \x20   auth = g.HTTPSPNEGOAuth(mutual_authentication=g.OPTIONAL, channel_bindings=bindings)\n\
         \x20   r = requests.get('{}', auth=auth, verify=False)\n\
         \x20   print(r.status_code, r.json().get('error'))",
        gateway.doorward.https_url("/.doorward/whoami")
    );
    let said = python(&script, Some(&realm().ticket("alice")));
    assert_eq!(said.lines().collect::<Vec<_>>(), ["200 None", "401 binding_missing"]);
}

#[test]
fn where_bindings_are_required_plain_http_signs_nobody_on() {
    let gateway = Setup { sso: "channel_binding = \"require\"", ..Setup::default() }.start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let answer = gateway.send_token(&token);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "binding_missing");
}

#[test]
fn a_session_without_binding_does_not_open_a_site_that_requires_one() {
    let more = "[[site]]\nhost = \"*\"\npath = \"/vault\"\nupstream = \"http://127.0.0.1:1\"\n\
                channel_binding = \"require\""
        .to_owned();
    let gateway = Setup { more, ..Setup::default() }.start();
    let unbound = attempt(&gateway, Sent::Nothing);
    let cookie = crate::gateway::cookie_of(&unbound);
    let url = gateway.doorward.https_url("/vault");
    let header = format!("Cookie: {cookie}");
    let answer = curl(None, &["--insecure", "-H", &header, &url]);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "binding_missing");
    let elsewhere = curl(None, &["--insecure", "-H", &header, &gateway.doorward.https_url("/")]);
    assert_eq!(elsewhere.status, 200);
}

#[test]
fn the_binding_follows_the_certificate_through_a_reload() {
    let dir = crate::lab::temp_dir("certificates-");
    let file = dir.path().join("server.pem");
    let make = |name: &str| {
        let script = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
                      -days 2 -subj \"/CN=$1\" -keyout \"$2\" -out \"$2.crt\" 2>/dev/null \
                      && cat \"$2.crt\" >> \"$2\"";
        let made = Command::new("sh").args(["-c", script, "sh", name]).arg(&file).status().unwrap();
        assert!(made.success());
    };
    make("one");
    let setup = Setup { sso: "channel_binding = \"require\"", ..Setup::default() };
    let app = crate::lab::servers::app();
    let config = setup
        .config(app.port)
        .replace("[front]\n", &format!("[front]\nserver_ssl_key_file = \"{}\"\n", file.display()));
    let gateway = Gateway { doorward: crate::lab::Doorward::serve(&config), app };
    assert_eq!(attempt(&gateway, Sent::Right).status, 200);
    let before = end_point(gateway.doorward.https_port());
    make("two");
    gateway.doorward.reload(&config);
    gateway.doorward.wait_log("the reload", |line| line["event"] == "reloaded");
    assert_ne!(end_point(gateway.doorward.https_port()), before);
    assert_eq!(attempt(&gateway, Sent::Right).status, 200);
}

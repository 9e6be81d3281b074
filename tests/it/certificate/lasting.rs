//! How long a certificate counts, and what ends with it.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::json;

use super::{entries, entry, gateway, get, of, refused};
use crate::gateway::{cookie_of, reached, web};
use crate::lab::pki::CLIENT;
use crate::lab::{Pki, resumption, wait_until};

#[test]
fn the_cookie_of_a_certificate_opens_nothing_without_it() {
    let pki = Pki::new();
    pki.client("alice");
    pki.client("bob");
    let gateway = gateway(&pki, "\"certificate\", \"negotiate\"", "", &entries(&["alice", "bob"]));
    let cookie = cookie_of(&get(&gateway, &pki, Some("alice"), "/", &[]));
    let header = format!("Cookie: {cookie}");
    let with = |name| get(&gateway, &pki, name, "/", &["-H", header.as_str()]);
    let own = with(Some("alice"));
    assert_eq!((own.status, own.header("set-cookie")), (200, None), "the session serves it");
    let stolen = with(None);
    assert_eq!(stolen.status, 401);
    assert_eq!(stolen.json()["reason"], "certificate_not_shown");
    assert_eq!(reached(&with(Some("bob")), "Remote-User"), ["bob"]);
    // Nor on plain HTTP, where there are no certificates.
    let plain = gateway.get(None, "/", &["-H", &header]);
    assert_eq!(plain.status, 401);
}

#[test]
fn a_key_that_was_taken_out_a_second_ago_signs_nobody_on_where_it_stood() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let file = pki.text("sslkeys/alice-public.pem");
    for version in ["TLSv1_3", "TLSv1_2"] {
        pki.list("alice");
        let said = resumption::answers(
            &pki,
            ("alice", gateway.doorward.https_port(), "/"),
            version,
            &format!("os.remove('{file}')\ntime.sleep(1.5)"),
        );
        let (granted, gone) = (json!([200, null]), json!([403, "public_key_removed"]));
        assert_eq!(said, json!([granted, granted, true, gone, gone, gone, true]), "{version}");
    }
    let line = gateway.doorward.wait_audit("the end", |line| line["event"] == "session_end");
    assert_eq!((&line["reason"], &line["login"]), (&json!("public_key_removed"), &json!("alice")));
    pki.list("alice");
    assert_eq!(get(&gateway, &pki, Some("alice"), "/", &[]).status, 200, "it counts again at once");
}

#[test]
fn a_certificate_that_was_revoked_a_second_ago_counts_no_more_where_it_stood() {
    let pki = Pki::new();
    pki.client("alice");
    pki.client("bob");
    pki.revoke(&[], "+0 days");
    let crl = format!("crl_file = \"{}\"", pki.text("crl.pem"));
    let gateway = gateway(&pki, "\"certificate\"", &crl, &entries(&["alice", "bob"]));
    std::fs::copy(pki.path("crl.pem"), pki.path("crl.before")).unwrap();
    pki.revoke(&["alice"], "+0 days");
    std::fs::rename(pki.path("crl.pem"), pki.path("crl.after")).unwrap();
    std::fs::rename(pki.path("crl.before"), pki.path("crl.pem")).unwrap();
    let (after, crl) = (pki.text("crl.after"), pki.text("crl.pem"));
    let does = format!("os.rename('{after}', '{crl}')\ntime.sleep(1.1)");
    let said =
        resumption::answers(&pki, ("alice", gateway.doorward.https_port(), "/"), "TLSv1_3", &does);
    let (granted, gone) = (json!([200, null]), json!([403, "certificate_revoked"]));
    assert_eq!(said, json!([granted, granted, true, gone, gone, gone, true]));
    assert_eq!(get(&gateway, &pki, Some("bob"), "/", &[]).status, 200);
    // The session was ended everywhere.
    gateway.doorward.wait_audit("the end", |line| line["event"] == "session_end");
}

#[test]
fn a_certificate_that_is_issued_anew_for_the_same_key_keeps_its_session() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let cookie = cookie_of(&get(&gateway, &pki, Some("alice"), "/", &[]));
    pki.issue("alice", "ca", CLIENT);
    let header = format!("Cookie: {cookie}");
    let answer = get(&gateway, &pki, Some("alice"), "/", &["-H", &header]);
    assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "{answer:?}");
}

#[test]
fn a_session_ends_with_its_certificate() {
    let pki = Pki::new();
    pki.client("alice");
    // Five seconds of its thirty days are left.
    let left = Duration::from_secs(5);
    pki.issue_at(&format!("-{} seconds", 30 * 86_400 - left.as_secs()), "alice", "ca", CLIENT);
    let gateway = of(&pki, &["alice"]);
    let whoami = get(&gateway, &pki, Some("alice"), "/.doorward/whoami", &[]);
    assert_eq!(whoami.status, 200, "{whoami:?}");
    wait_until(left * 3, "the end of the certificate", || {
        (get(&gateway, &pki, Some("alice"), "/", &[]).status != 200).then_some(())
    });
    assert_eq!(refused(&gateway, &pki, "alice"), "certificate_expired");
}

/// A websocket's tunnel over TLS with a certificate: `openssl s_client` carries the bytes.
#[test]
fn a_tunnel_ends_with_the_key_it_was_opened_by() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let address = format!("127.0.0.1:{}", gateway.doorward.https_port());
    let mut client = std::process::Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &address, "-alpn", "http/1.1"])
        .args(["-cert", &pki.text("alice.pem"), "-key", &pki.text("alice.pem")])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let request = format!(
        "GET /upgrade HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        web()
    );
    client.stdin.as_mut().unwrap().write_all(request.as_bytes()).unwrap();
    let mut output = client.stdout.take().unwrap();
    let mut head = [0; 12];
    output.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    pki.unlist("alice");
    // It ends by itself, although nobody sends or asks anything.
    output.read_to_end(&mut Vec::new()).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
}

#[test]
fn an_entry_that_names_somebody_else_ends_the_sessions_of_the_one_before() {
    let pki = Pki::new();
    pki.client("desk");
    let gateway = gateway(&pki, "\"certificate\"", "", &entry("desk", "act_as = [\"alice\"]"));
    let answer = get(&gateway, &pki, Some("desk"), "/", &[]);
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    let header = format!("Cookie: {}", cookie_of(&answer));
    let path = gateway.doorward.dir().join("doorward.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("act_as = [\"alice\"]", "act_as = [\"bob\"]")).unwrap();
    gateway.doorward.signal(nix::sys::signal::Signal::SIGHUP);
    wait_until(Duration::from_secs(10), "the other user", || {
        let answer = get(&gateway, &pki, Some("desk"), "/", &["-H", &header]);
        (reached(&answer, "Remote-User") == ["bob"]).then_some(())
    });
}

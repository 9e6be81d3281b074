//! Whose certificate signs on, and why another does not.

use serde_json::json;

use super::{entries, entry, gateway, get, of, refused};
use crate::gateway::{Gateway, reached};
use crate::lab::pki::CLIENT;
use crate::lab::{Pki, realm};

#[test]
fn a_listed_key_signs_its_user_on_whatever_its_algorithm() {
    let pki = Pki::new();
    let kinds = [("alice", "P-256"), ("bob", "2048"), ("carol", "ED25519"), ("dora", "P-384")];
    for (name, kind) in kinds {
        pki.key(name, kind);
        pki.issue(name, "ca", CLIENT);
        pki.list(name);
    }
    let gateway = of(&pki, &kinds.map(|(name, _)| name));
    for (name, _) in kinds {
        for version in ["--http1.1", "--http2"] {
            let answer = get(&gateway, &pki, Some(name), "/", &[version]);
            assert_eq!(answer.statuses(), [200], "{name}: {answer:?}");
            assert_eq!(reached(&answer, "Remote-User"), [name]);
            assert_eq!(reached(&answer, "Remote-Mechanism"), ["certificate"]);
        }
    }
    let whoami = get(&gateway, &pki, Some("alice"), "/.doorward/whoami", &[]).json();
    assert_eq!(whoami["user"]["login"], "alice");
    assert_eq!(whoami["mechanism"], "certificate");
    assert_eq!(whoami["principal"], "CN=alice");
    assert_eq!(whoami["channel_bound"], true);
    let line = gateway.doorward.wait_audit("the sign-on", |line| line["login"] == "alice");
    assert_eq!(line["outcome"], "granted");
    assert_eq!(line["key"], "alice-public.pem");
    assert_eq!(line["principal"], "CN=alice");
}

#[test]
fn every_other_certificate_gets_an_answer_that_says_why() {
    let pki = Pki::new();
    pki.authority("other");
    for name in ["unlisted", "stranger", "alone", "over", "early", "server", "short", "web"] {
        pki.key(name, if name == "short" { "1024" } else { "P-256" });
        pki.issue(name, if name == "stranger" { "other" } else { "ca" }, CLIENT);
        pki.list(name);
    }
    pki.unlist("unlisted");
    pki.self_signed("alone");
    pki.issue_at("-40 days", "over", "ca", CLIENT);
    pki.issue_at("+10 days", "early", "ca", CLIENT);
    pki.issue("server", "ca", "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n");
    for name in ["system", "several", "anybody", "gate", "far", "past"] {
        pki.client(name);
    }
    let more = "keys_without_entry = \"system\"\n".to_owned()
        + &entries(&["stranger", "alone", "over", "early", "server", "short"])
        + &entry("several", "act_as = [\"alice\", \"bob\"]")
        + &entry("anybody", "act_as = [\"*\"]")
        + &entry("gate", "role = \"front\"")
        + &entry("far", "act_as = [\"far\"]\nfrom = [\"10.0.0.0/8\"]")
        + &entry("past", "act_as = [\"past\"]\nnot_after = 2020-01-01T00:00:00Z");
    let gateway = gateway(&pki, "\"certificate\"", "", &more);
    for (name, reason) in [
        ("stranger", "certificate_no_chain"),
        ("alone", "certificate_self_signed"),
        ("over", "certificate_expired"),
        ("early", "certificate_not_yet_valid"),
        ("server", "certificate_purpose"),
        ("short", "public_key_too_short"),
        ("unlisted", "public_key_not_listed"),
        ("system", "public_key_no_user"),
        ("several", "public_key_no_user"),
        ("anybody", "public_key_no_user"),
        ("gate", "public_key_no_user"),
        ("far", "public_key_address"),
        ("past", "public_key_expired"),
    ] {
        assert_eq!(refused(&gateway, &pki, name), reason, "{name}");
    }
    let granted = gateway.doorward.audit();
    assert_eq!(granted.iter().filter(|line| line["outcome"] == "granted").count(), 0);
    let page = get(&gateway, &pki, Some("over"), "/", &["-H", "Accept: text/html"]);
    assert!(page.text().contains("has expired"), "{page:?}");
    let nobody = get(&gateway, &pki, None, "/", &[]);
    assert_eq!(nobody.status, 403);
    assert_eq!(nobody.json()["reason"], "no_certificate");
    assert_eq!(nobody.header("www-authenticate"), None);
}

#[test]
fn a_certificate_that_stands_in_a_header_is_not_read() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = gateway(
        &pki,
        "\"certificate\", \"negotiate\"",
        "trusted_proxies = [\"127.0.0.1\"]",
        &entries(&["alice"]),
    );
    let der = std::fs::read_to_string(pki.path("alice.crt")).unwrap().replace('\n', "%0A");
    for name in ["Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert", "X-Client-Cert"] {
        let header = format!("{name}: {der}");
        let answer = get(&gateway, &pki, None, "/", &["-H", &header]);
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(answer.json()["reason"], "no_credentials");
    }
    // A proxy's own certificate is not its clients'.
    let answer = get(&gateway, &pki, Some("alice"), "/", &[]);
    assert_eq!((answer.status, &answer.json()["reason"]), (401, &json!("certificate_by_proxy")));
}

#[test]
fn who_sends_the_marks_of_a_proxy_is_not_signed_on_by_its_certificate() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let answer = get(&gateway, &pki, Some("alice"), "/", &["-H", "Via: 1.1 cache"]);
    assert_eq!((answer.status, &answer.json()["reason"]), (403, &json!("certificate_by_proxy")));
}

#[test]
fn kerberos_signs_on_beside_certificates_and_instead_of_a_refused_one() {
    let pki = Pki::new();
    pki.client("bob");
    pki.client("unlisted");
    pki.unlist("unlisted");
    let gateway = gateway(&pki, "\"certificate\", \"negotiate\"", "", &entries(&["bob"]));
    let signed_on = get(&gateway, &pki, Some("bob"), "/", &[]);
    assert_eq!(reached(&signed_on, "Remote-User"), ["bob"]);
    let refused = get(&gateway, &pki, Some("unlisted"), "/", &[]);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["reason"], "public_key_not_listed");
    assert_eq!(refused.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);

    let alice = realm().ticket("alice");
    let (ca, pem) = (pki.text("ca.crt"), pki.text("unlisted.pem"));
    let args = ["--cacert", ca.as_str(), "--cert", pem.as_str()];
    let url = gateway.doorward.https_url("/");
    let answer = crate::lab::curl(Some(&alice), &[&args[..], &[url.as_str()]].concat());
    assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{answer:?}");
    assert_eq!(reached(&answer, "Remote-Mechanism"), ["negotiate"]);

    let nobody = get(&gateway, &pki, None, "/", &[]);
    assert_eq!((nobody.status, &nobody.json()["reason"]), (401, &json!("no_credentials")));
}

#[test]
fn only_clients_of_our_authorities_are_asked_and_none_where_it_is_not_offered() {
    let pki = Pki::new();
    let asked = |gateway: &Gateway| {
        let address = format!("127.0.0.1:{}", gateway.doorward.https_port());
        let done = std::process::Command::new("openssl")
            .args(["s_client", "-connect", &address])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let said = asked(&of(&pki, &[]));
    assert!(said.contains("Acceptable client certificate CA names\nCN = ca\n"), "{said}");
    let said = asked(&gateway(&pki, "\"negotiate\"", "", ""));
    assert!(said.contains("No client certificate CA names sent"), "{said}");
}

#[test]
fn probe_signs_on_as_the_certificate_says_or_tells_why_not() {
    let pki = Pki::new();
    for name in ["alice", "stranger"] {
        pki.client(name);
    }
    pki.unlist("stranger");
    let gateway = of(&pki, &["alice"]);
    let probe = |name: &str| {
        let mut command = crate::lab::doorward::program();
        command.args(["probe", &gateway.doorward.https_url("/"), "--ca", &pki.text("ca.crt")]);
        let done = command.args(["--cert", &pki.text(&format!("{name}.pem"))]).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, said) = probe("alice");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("CN=alice") && said.contains("Signed on."), "{said}");
    let (code, said) = probe("stranger");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("sslkeys_path"), "{said}");
}

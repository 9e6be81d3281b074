//! A certificate on a connection that is taken for a proxy's is refused by its own name.

use crate::certificate::{entries, gateway, get};
use crate::lab::Pki;

#[test]
fn a_certificate_from_an_address_in_trusted_proxies_is_told_why_it_does_not_count() {
    let pki = Pki::new();
    pki.client("alice");
    pki.client("bob");
    let listed = entries(&["alice"]);
    for (offered, status) in [("\"certificate\"", 403), ("\"certificate\", \"negotiate\"", 401)] {
        let here = "trusted_proxies = [\"127.0.0.0/8\", \"::1\"]";
        let gateway = gateway(&pki, offered, here, &listed);
        let answer = get(&gateway, &pki, Some("alice"), "/", &[]);
        assert_eq!(answer.status, status, "{answer:?}");
        assert_eq!(answer.json()["reason"], "certificate_by_proxy");
        assert!(answer.json()["message"].as_str().unwrap().contains("trusted_proxies"));
        let challenged = answer.header("www-authenticate").is_some();
        assert_eq!(challenged, status == 401, "other ways in are still offered");
        let line = gateway.doorward.wait_audit("the refusal", |line| line["outcome"] == "refused");
        let detail = line["detail"].as_str().unwrap();
        assert!(detail.contains("is in trusted_proxies"), "{line}");
        let none = get(&gateway, &pki, None, "/", &[]).json();
        assert_ne!(none["reason"], "certificate_by_proxy", "where none was shown: {none}");
    }
    let gateway = gateway(&pki, "\"certificate\"", "", &listed);
    let answer = get(&gateway, &pki, Some("alice"), "/", &["-H", "Via: 1.1 cache"]);
    assert_eq!(answer.json()["reason"], "certificate_by_proxy", "a proxy that nobody listed");
    assert_eq!(get(&gateway, &pki, Some("alice"), "/", &[]).status, 200, "without a proxy");
}

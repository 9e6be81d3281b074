//! `[[core.key]]`: as whom a key acts, from where and until when.

use serde_json::json;

use super::tls::{ask, refused, whoami};
use crate::lab::{Doorward, LIMIT, Pki, wait_until};

#[test]
fn an_entry_says_as_whom_from_where_and_until_when_its_key_counts() {
    let pki = Pki::new();
    for name in ["webapp", "far", "past", "copy"] {
        pki.client(name);
    }
    let config = pki.core(
        "[[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"alice\"]\nfrom = [\"127.0.0.0/8\"]\n\
         not_after = 2100-01-01T00:00:00Z\n\
         [[core.key]]\nfile = \"far-public.pem\"\nact_as = [\"*\"]\nfrom = [\"10.0.0.0/8\"]\n\
         [[core.key]]\nfile = \"past-public.pem\"\nact_as = [\"*\"]\nnot_after = 2020-01-01T00:00:00Z\n\
         [[core.key]]\nfile = \"copy-public.pem\"\nact_as = [\"bob\"]\n\
         [[core.realm]]\nrealm = \"LAB.EXAMPLE\"\n",
    );
    let core = Doorward::core(&config);
    assert_eq!(refused(&core, &pki, "far"), "public_key_address");
    assert_eq!(refused(&core, &pki, "past"), "public_key_expired");
    assert_eq!(whoami(&core, &pki, "webapp").json()["as"], "alice");
    // Another name in the same folder frees no key.
    let listed = pki.path("sslkeys");
    std::fs::copy(listed.join("copy-public.pem"), listed.join("a-copy.pem")).unwrap();
    assert_eq!(whoami(&core, &pki, "copy").json()["as"], "bob");

    let open = |user: &str| {
        let wish = json!({"user": user, "trusted": true});
        ask(&core, &pki, Some("webapp"), "POST", "/v1/sessions", Some(wish))
    };
    let opened = open("Alice@LAB.EXAMPLE");
    assert_eq!(opened.status, 201, "{opened:?}");
    assert_eq!(opened.json()["user"]["login"], "alice");
    let line = core.wait_audit("the sign-on", |line| line["outcome"] == "granted");
    assert_eq!(line["key"], "webapp-public.pem");
    assert_eq!(line["peer"], "key webapp-public.pem from 127.0.0.1");
    let other = open("bob@LAB.EXAMPLE");
    assert_eq!((other.status, other.json()["error"].as_str()), (401, Some("logon_failed")));
    core.wait_audit("the refusal", |line| line["reason"] == "public_key_scope");
}

#[test]
fn an_administrator_acts_as_somebody_else_and_the_audit_log_has_both_names() {
    let pki = Pki::new();
    pki.client("admin");
    pki.client("webapp");
    let core =
        Doorward::core(&pki.core(
            "keys_without_entry = \"system\"\n[[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"*\"]\n",
        ));
    let wish = json!({"user": "root", "trusted": true, "act_as": "Mary"});
    let open = |name| ask(&core, &pki, Some(name), "POST", "/v1/sessions", Some(wish.clone()));
    let opened = open("admin");
    assert_eq!(opened.status, 201, "{opened:?}");
    assert_eq!(opened.json()["user"]["login"], "mary");
    let line = core.wait_audit("the sign-on", |line| line["outcome"] == "granted");
    assert_eq!((&line["login"], &line["impersonator"]), (&json!("mary"), &json!("root")));
    let refused = open("webapp");
    assert_eq!((refused.status, refused.json()["error"].as_str()), (403, Some("no_access")));
    let line = core.wait_audit("the refusal", |line| line["reason"] == "not_administrator");
    assert_eq!((&line["principal"], &line["login"]), (&json!("root"), &json!("Mary")));
}

#[test]
fn a_reload_takes_a_new_certificate_and_new_entries_or_leaves_everything() {
    let pki = Pki::new();
    pki.client("web");
    let core = Doorward::core(&pki.core(""));
    assert_eq!(whoami(&core, &pki, "web").json()["as"], "SYSTEM");
    core.reload(&pki.core("[[core.key]]\nfile = \"web-public.pem\"\nact_as = [\"*\"]\n"));
    wait_until(LIMIT, "the entry", || {
        (whoami(&core, &pki, "web").json()["as"] == "*").then_some(())
    });
    core.reload(&pki.core("crl_file = \"/nonexistent/crl.pem\"\n"));
    let said = core.wait_log("the complaint", |line| line.to_string().contains("reload_failed"));
    assert!(said.to_string().contains("/nonexistent/crl.pem"), "{said}");
    assert_eq!(whoami(&core, &pki, "web").json()["as"], "*");
}

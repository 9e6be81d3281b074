//! `doorward probe` tells a person what a browser keeps to itself.

mod ntlm;

use crate::gateway::{Gateway, Setup};
use crate::lab::doorward::program;
use crate::lab::{Ticket, realm};

/// Whether a probe signed on, and what it said.
#[track_caller]
fn probe(ticket: Option<&Ticket>, args: &[&str]) -> (bool, String) {
    let mut command = program();
    command.arg("probe").args(args).env("KRB5CCNAME", "FILE:/nonexistent/cache");
    if let Some(ticket) = ticket {
        command.envs(ticket.env());
    }
    let output = command.output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    (output.status.code().unwrap() == 0, String::from_utf8(output.stdout).unwrap())
}

#[test]
fn every_leg_of_a_sign_on_over_tls_is_shown() {
    let gateway = Gateway::start();
    let url = gateway.doorward.https_url("/");
    let alice = realm().ticket("alice");
    let (signed_on, said) = probe(Some(&alice), &[&url, "--negotiate", "--insecure"]);
    assert!(signed_on, "{said}");
    for leg in [
        "TLS 1.3",
        "offered: Negotiate",
        "alice@LAB.EXAMPLE from",
        "HTTP/web.lab.example@LAB.EXAMPLE",
        "the token is bound to the TLS connection",
        "200 OK",
        "has proven its identity",
        "__Host-doorward received",
        "channel bound: yes",
        "Signed on.",
    ] {
        assert!(said.contains(leg), "{leg} is missing in\n{said}");
    }
}

#[test]
fn without_a_mechanism_it_shows_the_offer_and_sends_nothing() {
    let gateway = Gateway::start();
    let alice = realm().ticket("alice");
    let (answered, said) = probe(Some(&alice), &[&gateway.doorward.url("/")]);
    assert!(answered, "{said}");
    assert!(said.contains("401 Unauthorized; offered: Negotiate"), "{said}");
    assert!(!said.contains("token"), "{said}");
}

#[test]
fn nothing_secret_is_sent_under_a_certificate_that_is_not_trusted() {
    let gateway = Gateway::start();
    let alice = realm().ticket("alice");
    let url = gateway.doorward.https_url("/");
    let (signed_on, said) = probe(Some(&alice), &[&url, "--negotiate"]);
    assert!(!signed_on);
    assert!(said.contains("the certificate is not trusted"), "{said}");
    assert!(!said.contains("token"), "{said}");
}

#[test]
fn the_gateway_s_reason_is_shown() {
    let strict = Setup { sso: "channel_binding = \"require\"", ..Setup::default() }.start();
    let alice = realm().ticket("alice");
    let url = strict.doorward.https_url("/");
    let loose = [url.as_str(), "--negotiate", "--insecure", "--no-channel-binding"];
    let (signed_on, said) = probe(Some(&alice), &loose);
    assert!(!signed_on, "{said}");
    assert!(said.contains("the token is not bound to the TLS connection"), "{said}");
    assert!(said.contains("binding_missing: "), "{said}");
    let (signed_on, said) = probe(Some(&alice), &loose[..3]);
    assert!(signed_on, "{said}");
}

#[test]
fn a_key_that_was_changed_is_named_as_the_cause() {
    let service = realm().add_service("probed");
    let old = Setup { keytab: Some(service.keytab.clone()), ..Setup::default() }.start();
    realm().rotate_key(&service);
    let alice = realm().fresh_ticket("alice", &[]).unwrap();
    let url = format!("http://{}:{}/", service.host, old.doorward.http_port());
    let (signed_on, said) = probe(Some(&alice), &[&url, "--negotiate"]);
    assert!(!signed_on, "{said}");
    assert!(said.contains("key_version: "), "{said}");
}

#[test]
fn whoever_has_no_ticket_is_told_to_get_one() {
    let gateway = Gateway::start();
    let (signed_on, said) = probe(None, &[&gateway.doorward.url("/"), "--negotiate"]);
    assert!(!signed_on);
    assert!(said.contains("you have no Kerberos ticket"), "{said}");
    assert!(said.contains("/nonexistent/cache"), "{said}");
}

#[test]
fn a_name_that_the_realm_does_not_know_is_said() {
    let gateway = Gateway::start();
    let alice = realm().ticket("alice");
    let url = format!("http://{}:{}/", realm().host("app"), gateway.doorward.http_port());
    let (signed_on, said) = probe(Some(&alice), &[&url, "--negotiate"]);
    assert!(!signed_on);
    let unknown = "the realm knows no service HTTP/app.lab.example";
    assert!(said.contains(unknown), "{said}");
    let (signed_on, said) =
        probe(Some(&alice), &[&url, "--negotiate", "--spn", "HTTP/web.lab.example"]);
    assert!(signed_on, "{said}");
}

#[test]
fn a_server_that_is_not_there_is_said() {
    let (signed_on, said) = probe(None, &["http://127.0.0.1:1/", "--negotiate"]);
    assert!(!signed_on);
    assert!(said.contains("cannot be reached"), "{said}");
}

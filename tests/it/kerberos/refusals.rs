//! What cannot stand is refused, and the answer says why.

use crate::gateway::{Gateway, Setup, web};
use crate::lab::{Doorward, TokenOptions, chromium, realm};

#[test]
fn the_same_token_signs_on_once_however_many_connections_bring_it() {
    let gateway = Gateway::start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let statuses: Vec<u16> = std::thread::scope(|scope| {
        let senders: Vec<_> =
            (0..16).map(|_| scope.spawn(|| gateway.send_token(&token).status)).collect();
        senders.into_iter().map(|sender| sender.join().unwrap()).collect()
    });
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    assert_eq!(statuses.iter().filter(|status| **status == 401).count(), 15, "{statuses:?}");
    let again = gateway.send_token(&token);
    assert_eq!(again.json()["error"], "replay");
    gateway.doorward.wait_audit("a replay", |line| line["reason"] == "replay");
}

#[test]
fn a_replay_is_still_known_after_a_restart() {
    let mut gateway = Gateway::start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    assert_eq!(gateway.send_token(&token).status, 200);
    let cache = gateway.doorward.dir().join("state/replay-cache");
    assert!(cache.exists(), "the library remembers it somewhere else, where others may empty it");
    gateway.doorward.restart();
    assert_eq!(gateway.send_token(&token).json()["error"], "replay");
}

#[test]
fn two_authorization_headers_are_refused() {
    let gateway = Gateway::start();
    let tokens = realm().ticket("alice").tokens(&web(), 2);
    let values: Vec<String> = tokens.iter().map(|token| format!("Negotiate {token}")).collect();
    let both = [("Authorization", values[0].as_str()), ("Authorization", "Basic YTpi")];
    for headers in [both, [both[1], both[0]]] {
        let answer = gateway.connect().get(&web(), "/", &headers);
        assert_eq!(answer.status, 400);
        assert_eq!(answer.json()["error"], "many_authorizations");
    }
}

#[test]
fn odd_authorization_headers_end_in_their_own_words() {
    let gateway = Gateway::start();
    let ntlm = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAKAGFKAAAADw==";
    for (value, status, error) in [
        ("Negotiate", 401, "empty_token"),
        ("Negotiate !!!!", 400, "bad_base64"),
        ("Negotiate YWJj", 401, "defective_token"),
        (&format!("Negotiate {ntlm}"), 401, "ntlm_sent"),
        (&format!("NTLM {ntlm}"), 401, "ntlm_sent"),
        ("Bearer abc", 401, "unknown_scheme"),
    ] {
        let answer = gateway.connect().get(&web(), "/", &[("Authorization", value)]);
        assert_eq!(
            (answer.status, answer.json()["error"].as_str().unwrap()),
            (status, error),
            "{value}"
        );
    }
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let odd_case = format!("nEgOtIaTe {token}");
    assert_eq!(gateway.connect().get(&web(), "/", &[("Authorization", &odd_case)]).status, 200);
}

#[test]
fn a_client_whose_clock_is_ahead_is_told_so() {
    let gateway = Gateway::start();
    // The KDC would refuse that clock, too: the service's ticket is fetched before.
    realm().ticket("alice").tokens(&web(), 1);
    let options = TokenOptions { clock: Some("+10m".to_owned()), ..TokenOptions::default() };
    let token = realm().ticket("alice").tokens_with(&web(), 1, &options).remove(0);
    let answer = gateway.send_token(&token);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "clock_skew");
}

#[test]
fn a_ticket_that_has_expired_is_refused() {
    // Acceptors go on for five minutes after a ticket's end: this one lives twenty minutes later.
    let later = [
        ("LD_PRELOAD", "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"),
        ("FAKETIME", "+20m"),
    ];
    let app = crate::lab::servers::app();
    let doorward = Doorward::start("serve", &Setup::default().config(app.port), &later);
    let gateway = Gateway { doorward, app };
    let short = realm().fresh_ticket("alice", &["-l", "10m"]).unwrap();
    let answer = gateway.send_token(&short.tokens(&web(), 1).remove(0));
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "ticket_expired");
}

#[test]
fn the_people_of_another_realm_are_refused_even_with_its_key_in_the_keytab() {
    let gateway = Setup {
        keytab: Some(realm().both_keytab.clone()),
        more: allowed_realm(),
        ..Setup::default()
    }
    .start();
    let foreign = realm().ticket(&format!("alice@{}", realm().mit_name));
    let token = foreign.tokens(&web(), 1).remove(0);
    let answer = gateway.send_token(&token);
    assert_eq!(answer.status, 401, "{answer:?}");
    assert_eq!(answer.json()["error"], "realm_not_allowed");
    assert_eq!(answer.header("set-cookie"), None);
    let own = realm().ticket("alice").tokens(&web(), 1).remove(0);
    assert_eq!(gateway.send_token(&own).status, 200);
}

fn allowed_realm() -> String {
    format!("[[core.realm]]\nrealm = \"{}\"\ndomain = \"{}\"", realm().name, realm().domain)
}

#[test]
fn a_browser_is_shown_a_page_with_the_number_that_stands_in_the_log() {
    let gateway = Gateway::start();
    let answer = gateway.connect().get(
        &web(),
        "/",
        &[("Accept", "text/html"), ("Authorization", "Negotiate YWJj")],
    );
    let page = answer.text();
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let logged =
        gateway.doorward.wait_log("the refusal", |line| line["reason"] == "defective_token");
    assert!(page.contains(logged["reference"].as_str().unwrap()), "{page}");
    let shown = chromium(&gateway.doorward.url("/nowhere"), None);
    assert!(shown.contains("Reference"), "{shown}");
}

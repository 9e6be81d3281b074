//! From principal to login name, with real principals of the realm.

use crate::gateway::{Setup, reached, web};
use crate::lab::http::Response;
use crate::lab::realm;

fn sign_on(more: String, user: &str) -> Response {
    let gateway = Setup { more, ..Setup::default() }.start();
    let ticket = realm().ticket(user);
    gateway.send_token(&ticket.tokens(&web(), 1).remove(0))
}

fn realm_with(strip: &str) -> String {
    format!("[[core.realm]]\nrealm = \"{}\"\nstrip = {strip}", realm().name)
}

#[test]
fn without_a_list_of_realms_the_keytabs_own_is_allowed_and_stripped() {
    assert_eq!(reached(&sign_on(String::new(), "alice"), "Remote-User"), ["alice"]);
}

#[test]
fn names_beyond_ascii_arrive_whole() {
    let answer = sign_on(String::new(), "jürgen");
    // The application reads headers as Latin-1; the bytes are UTF-8.
    let seen = reached(&answer, "Remote-User").remove(0);
    let bytes: Vec<u8> = seen.chars().map(|c| c as u32 as u8).collect();
    assert_eq!(String::from_utf8(bytes).unwrap(), "jürgen");
}

#[test]
fn each_strip_rule_does_what_it_says() {
    for (strip, login) in [
        ("true", "alice"),
        ("\"zcp\"", "alice"),
        ("\"kopano\"", "alice"),
        ("false", "alice@LAB.EXAMPLE"),
    ] {
        let answer = sign_on(realm_with(strip), "alice");
        assert_eq!(reached(&answer, "Remote-User"), [login], "{strip}");
    }
}

#[test]
fn a_realm_that_is_not_listed_is_refused_never_stripped() {
    let answer = sign_on("[[core.realm]]\nrealm = \"OTHER.EXAMPLE\"".to_owned(), "alice");
    assert_eq!(answer.status, 401);
    assert_eq!(answer.json()["error"], "realm_not_allowed");
}

#[test]
fn an_explicit_mapping_comes_first() {
    let more = format!("[core.altnames]\n\"alice@{}\" = \"mapped\"", realm().name);
    assert_eq!(reached(&sign_on(more, "alice"), "Remote-User"), ["mapped"]);
}

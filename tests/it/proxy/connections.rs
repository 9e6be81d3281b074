//! An identity lives and dies with its connection, and never crosses to another.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::http::{Raw, Response};
use crate::lab::{TokenOptions, realm};

#[test]
fn what_kerberos_proved_counts_for_its_request_alone() {
    let gateway = Gateway::start();
    for tls in [false, true] {
        let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
        let value = format!("Negotiate {token}");
        let mut connection = match tls {
            true => Raw::connect_tls(gateway.doorward.https_port()),
            false => gateway.connect(),
        };
        let answer = connection.get(&web(), "/", &[("Authorization", &value)]);
        assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
        assert_eq!(answer.header("persistent-auth"), Some("false"));
        assert_eq!(connection.get(&web(), "/", &[]).status, 401, "TLS: {tls}");
    }
}

#[test]
fn a_failed_attempt_ends_what_was_proven_on_the_connection_before() {
    let gateway = Gateway::start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Negotiate {token}");
    for failing in ["Negotiate YWJj", "Negotiate !", "Negotiate", value.as_str()] {
        let fresh = realm().ticket("alice").tokens(&web(), 1).remove(0);
        let mut connection = gateway.connect();
        let first = format!("Negotiate {fresh}");
        assert_eq!(connection.get(&web(), "/", &[("Authorization", &first)]).status, 200);
        let failing = if failing == value { first.as_str() } else { failing };
        assert_ne!(connection.get(&web(), "/", &[("Authorization", failing)]).status, 200);
        assert_eq!(connection.get(&web(), "/", &[]).status, 401, "{failing}");
    }
}

/// SPNEGO in two legs (RFC 4178 section 4.2): first only what is offered, then
/// the token itself.
fn two_legs() -> [String; 2] {
    const SPNEGO: &[u8] = &[0x06, 6, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x02];
    const KERBEROS: &[u8] = &[0x06, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x12, 0x01, 0x02, 0x02];
    let raw = TokenOptions { raw: true, ..TokenOptions::default() };
    let token = realm().ticket("alice").tokens_with(&web(), 1, &raw).remove(0);
    let token = STANDARD.decode(token).unwrap();
    let offer = der(0xa0, &der(0x30, &der(0xa0, &der(0x30, KERBEROS))));
    let init = der(0x60, &[SPNEGO, &offer].concat());
    let response = der(0xa1, &der(0x30, &der(0xa2, &der(0x04, &token))));
    [init, response].map(|leg| format!("Negotiate {}", STANDARD.encode(leg)))
}

fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let [.., high, low] = content.len().to_be_bytes();
    let length = if content.len() < 0x80 { vec![low] } else { vec![0x82, high, low] };
    [&[tag], length.as_slice(), content].concat()
}

#[test]
fn an_exchange_of_two_legs_signs_on_on_the_connection_it_began_on() {
    let gateway = Gateway::start();
    let [first, second] = two_legs();
    let mut connection = gateway.connect();
    let asked = connection.get(&web(), "/", &[("Authorization", &first)]);
    assert_eq!((asked.status, asked.json()["error"].as_str().unwrap()), (401, "exchange_open"));
    assert!(asked.header("www-authenticate").unwrap().len() > "Negotiate ".len(), "{asked:?}");
    let answer = connection.get(&web(), "/", &[("Authorization", &second)]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
}

#[test]
fn an_exchange_that_was_broken_off_or_left_its_connection_is_over() {
    let gateway = Gateway::start();
    let error = |answer: Response| answer.json()["error"].as_str().unwrap().to_owned();
    let [first, second] = two_legs();
    let second = [("Authorization", second.as_str())];
    let mut connection = gateway.connect();
    assert_eq!(connection.get(&web(), "/", &[("Authorization", &first)]).status, 401);
    assert_eq!(error(gateway.connect().get(&web(), "/", &second)), "exchange_interrupted");
    assert_eq!(error(connection.get(&web(), "/", &[])), "no_credentials");
    assert_eq!(error(connection.get(&web(), "/", &second)), "exchange_interrupted");
    let proxied = [("Authorization", first.as_str()), ("Via", "1.1 cache")];
    let mut pooled = gateway.connect();
    assert_eq!(error(pooled.get(&web(), "/", &proxied)), "exchange_needs_connection");
    assert_eq!(error(pooled.get(&web(), "/", &second)), "exchange_interrupted");
}

#[test]
fn two_users_in_turn_on_one_connection_are_two_users() {
    let gateway = Gateway::start();
    let mut connection = gateway.connect();
    for user in ["alice", "bob", "alice"] {
        let token = realm().ticket(user).tokens(&web(), 1).remove(0);
        let value = format!("Negotiate {token}");
        let answer = connection.get(&web(), "/", &[("Authorization", &value)]);
        assert_eq!(reached(&answer, "Remote-User"), [user]);
        assert_eq!(connection.get(&web(), "/", &[]).status, 401);
    }
}

#[test]
fn pipelined_requests_are_each_their_own_users() {
    let gateway = Gateway::start();
    let (alice, bob) = (gateway.sign_on("alice"), gateway.sign_on("bob"));
    let mut connection = gateway.connect();
    let one =
        |cookie: &str| format!("GET / HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", web());
    connection.send(format!("{}{}{}{}", one(&alice), one(&bob), one("none=1"), one(&alice)));
    assert_eq!(reached(&connection.response(), "Remote-User"), ["alice"]);
    assert_eq!(reached(&connection.response(), "Remote-User"), ["bob"]);
    assert_eq!(connection.response().status, 401);
    assert_eq!(reached(&connection.response(), "Remote-User"), ["alice"]);
}

#[test]
fn what_a_trusted_proxy_brings_never_stays_with_its_connection() {
    let front = "trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = Setup { front, ..Setup::default() }.start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Negotiate {token}");
    let mut pooled = gateway.connect();
    let answer = pooled.get(&web(), "/", &[("Authorization", &value)]);
    assert_eq!(answer.status, 200);
    let cookie = cookie_of(&answer);
    assert_eq!(pooled.get(&web(), "/", &[]).status, 401);
    assert_eq!(pooled.get(&web(), "/", &[("Cookie", &cookie)]).status, 200);
    assert_eq!(pooled.get(&web(), "/", &[]).status, 401);
}

#[test]
fn a_connection_that_stands_idle_is_closed_and_a_slow_head_as_well() {
    let front = "idle_timeout = \"1s\"\nheader_timeout = \"1s\"";
    let gateway = Setup { front, ..Setup::default() }.start();
    let mut idle = gateway.connect();
    assert_eq!(idle.get(&web(), "/", &[]).status, 401);
    assert!(idle.closed());
    let mut slow = gateway.connect();
    slow.send("GET / HTTP/1.1\r\nHost:");
    assert!(slow.closed());
}

#[test]
fn a_client_that_stops_reading_its_answer_is_cut_off() {
    let gateway = Setup { front: "body_timeout = \"1s\"", ..Setup::default() }.start();
    let cookie = gateway.sign_on("alice");
    let mut silent = gateway.connect();
    silent.send(format!("GET /stream/256 HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", web()));
    gateway.doorward.wait_log("the cut", |line| {
        line["message"].as_str().is_some_and(|said| said.contains("stopped reading"))
    });
    assert!(silent.rest().len() < 256 << 20);
}

#[test]
fn the_status_pages_answer_when_clients_have_taken_every_connection() {
    let front = "max_connections = 8\nheader_timeout = \"120s\"";
    let gateway = Setup { front, ..Setup::default() }.start();
    let mut taken: Vec<_> = (0..16).map(|_| gateway.connect()).collect();
    // The first of them gave way to the others, so all places are taken.
    assert_eq!(taken[15].get(&web(), "/", &[]).status, 401);
    assert_eq!(gateway.status("/health").status, 200);
}

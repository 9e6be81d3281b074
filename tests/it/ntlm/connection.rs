//! An NTLM exchange and the identity it proves live and die with their connection.
//! An identity stays on TLS only: over plain HTTP from loopback it is kept on none.

use crate::gateway::{Setup, cookie_of, reached, web};
use crate::lab::http::{Raw, Response};
use crate::lab::ntlm::Login;
use crate::lab::realm;
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason};

fn send(connection: &mut Raw, leg: &str) -> Response {
    connection.get(&web(), "/", &[("Authorization", leg)])
}

/// Sends the first message of alice's, and gives the second, unsent.
#[track_caller]
fn half_open(connection: &mut Raw) -> String {
    let mut exchange = Login::of("alice").begin();
    let asked = send(connection, &exchange.first());
    assert_eq!((asked.status, reason(&asked).as_str()), (401, "exchange_open"));
    exchange.next(&asked).unwrap()
}

#[track_caller]
fn assert_over(connection: &mut Raw, leg: &str) {
    let refused = send(connection, leg);
    assert_eq!((refused.status, reason(&refused).as_str()), (401, "exchange_interrupted"));
    assert_eq!(connection.get(&web(), "/", &[]).status, 401, "somebody is signed on");
}

#[test]
fn the_second_message_needs_the_first_on_the_same_connection() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let mut connection = gateway.connect();
        let second = half_open(&mut connection);
        assert_over(&mut gateway.connect(), &second);
        // What another connection tried leaves this one's exchange as it was.
        assert_is(&send(&mut connection, &second), "alice");
    }
}

#[test]
fn the_second_message_counts_once() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let mut connection = gateway.connect_tls();
        let second = half_open(&mut connection);
        assert_is(&send(&mut connection, &second), "alice");
        assert_over(&mut connection, &second);
    }
}

#[test]
fn a_request_without_credentials_ends_an_exchange() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let mut connection = gateway.connect();
        let second = half_open(&mut connection);
        assert_eq!(reason(&connection.get(&web(), "/", &[])), "no_credentials");
        assert_over(&mut connection, &second);
    }
}

#[test]
fn another_scheme_ends_an_exchange() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let mut connection = gateway.connect();
        let second = half_open(&mut connection);
        assert_eq!(reason(&send(&mut connection, "Basic YTpi")), "unknown_scheme");
        assert_over(&mut connection, &second);
        let second = half_open(&mut connection);
        assert_over(&mut connection, &second.replacen("NTLM", "Negotiate", 1));
        assert_over(&mut connection, &second);
    }
}

#[test]
fn a_cookie_in_mid_exchange_serves_its_own_user_only() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let bob = cookie_of(&gateway.log_in(&Login::of("bob")));
        let mut connection = gateway.connect();
        let second = half_open(&mut connection);
        assert_is(&connection.get(&web(), "/", &[("Cookie", &bob)]), "bob");
        assert_over(&mut connection, &second);
    }
}

#[test]
fn a_new_first_message_begins_anew() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let mut connection = gateway.connect();
        let stale = half_open(&mut connection);
        let fresh = half_open(&mut connection);
        assert_is(&send(&mut connection, &fresh), "alice");
        half_open(&mut connection);
        let refused = send(&mut connection, &stale);
        assert_eq!(refused.status, 401, "{protocol}: {refused:?}");
        assert_eq!(connection.get(&web(), "/", &[]).status, 401);
    }
}

#[test]
fn kerberos_after_ntlm_is_the_ticket_s_owner() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let bobs = realm().ticket("bob").tokens(&web(), 2);
        let mut connection = gateway.connect_tls();
        assert_is(&Login::of("alice").get(&mut connection, "/", &[]), "alice");
        for within in [false, true] {
            let second = within.then(|| half_open(&mut connection));
            let ticket = format!("Negotiate {}", bobs[usize::from(within)]);
            let answer = send(&mut connection, &ticket);
            assert_eq!(reached(&answer, "Remote-User"), ["bob"]);
            assert_eq!(reached(&answer, "Remote-Mechanism"), ["negotiate"]);
            // Kerberos proves a request, and nobody's connection.
            assert_eq!(connection.get(&web(), "/", &[]).status, 401);
            if let Some(second) = second {
                assert_over(&mut connection, &second);
            }
        }
    }
}

#[test]
fn two_users_in_turn_on_one_connection_are_two_users() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let mut connection = gateway.connect_tls();
        for user in ["alice", "bob", "alice"] {
            assert_is(&Login::of(user).get(&mut connection, "/", &[]), user);
            assert_is(&connection.get(&web(), "/", &[]), user);
        }
    }
}

#[test]
fn a_wrong_password_leaves_nobody_signed_on() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let mut connection = gateway.connect_tls();
        assert_is(&Login::of("alice").get(&mut connection, "/", &[]), "alice");
        let wrong = Login { password: "wrong".to_owned(), ..Login::of("bob") };
        assert_eq!(reason(&wrong.get(&mut connection, "/", &[])), "logon_failed");
        assert_eq!(connection.get(&web(), "/", &[]).status, 401);
    }
}

#[test]
fn pipelined_requests_are_answered_in_their_order() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let request = |leg: Option<&str>| {
            let leg = leg.map_or(String::new(), |leg| format!("Authorization: {leg}\r\n"));
            format!("GET / HTTP/1.1\r\nHost: {}\r\n{leg}\r\n", web())
        };
        let mut connection = gateway.connect_tls();
        let mut exchange = Login::of("alice").begin();
        connection.send(request(Some(&exchange.first())) + &request(None));
        let asked = connection.response();
        assert_eq!(reason(&asked), "exchange_open");
        assert_eq!(reason(&connection.response()), "no_credentials");
        assert_over(&mut connection, &exchange.next(&asked).unwrap());

        let second = half_open(&mut connection);
        connection.send(request(Some(&second)) + &request(None) + &request(None));
        for _answer in 0..3 {
            assert_is(&connection.response(), "alice");
        }
    }
}

#[test]
fn through_a_trusted_proxy_the_cookie_carries_the_identity_and_the_connection_never() {
    for protocol in PROTOCOLS {
        let front = "trusted_proxies = [\"127.0.0.1/32\"]";
        let gateway = Ntlm::start_with(protocol, "", Setup { front, ..Setup::default() });
        let from = ("X-Forwarded-For", "192.0.2.7");
        let mut pooled = gateway.connect();
        let answer = Login::of("alice").get(&mut pooled, "/", &[from]);
        assert_is(&answer, "alice");
        let cookie = cookie_of(&answer);
        assert_eq!(pooled.get(&web(), "/", &[from]).status, 401);
        assert_is(&pooled.get(&web(), "/", &[from, ("Cookie", &cookie)]), "alice");
        assert_eq!(pooled.get(&web(), "/", &[("X-Forwarded-For", "192.0.2.8")]).status, 401);
    }
}

#[test]
fn what_a_proxy_brings_that_nobody_listed_never_stays_with_its_connection() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for sign in [("Via", "1.1 cache"), ("X-Forwarded-For", "192.0.2.7")] {
            let mut pooled = gateway.connect_tls();
            let answer = Login::of("alice").get(&mut pooled, "/", &[sign]);
            assert_is(&answer, "alice");
            cookie_of(&answer);
            assert_eq!(pooled.get(&web(), "/", &[sign]).status, 401, "{sign:?}");
            assert_eq!(pooled.get(&web(), "/", &[]).status, 401, "{sign:?}");
            // Nor does a request that a proxy brings find what was proven here without it.
            let mut pooled = gateway.connect_tls();
            assert_is(&Login::of("alice").get(&mut pooled, "/", &[]), "alice");
            assert_eq!(pooled.get(&web(), "/", &[sign]).status, 401, "{sign:?}");
        }
    }
}

#[test]
fn an_identity_by_ntlm_ends_with_its_session() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let mut connection = gateway.connect_tls();
    assert_is(&Login::of("alice").get(&mut connection, "/", &[]), "alice");
    connection.send(format!(
        "POST /.doorward/logout HTTP/1.1\r\nHost: {}\r\nContent-Length: 0\r\n\r\n",
        web()
    ));
    assert_eq!(connection.response().status, 200);
    assert_eq!(connection.get(&web(), "/", &[]).status, 401);
}

#[test]
fn forward_auth_neither_offers_ntlm_nor_takes_it() {
    let front = "trusted_proxies = [\"127.0.0.1/32\"]";
    let gateway = Ntlm::start_with(PROTOCOLS[0], "", Setup { front, ..Setup::default() });
    let original = ("X-Original-URI", "/");
    let mut proxy = gateway.connect();
    let answer = proxy.get(&web(), "/.doorward/auth", &[original]);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);
    let first = Login::of("alice").begin().first();
    for leg in [first.clone(), first.replacen("NTLM", "Negotiate", 1)] {
        let refused = proxy.get(&web(), "/.doorward/auth", &[original, ("Authorization", &leg)]);
        assert_eq!((refused.status, reason(&refused).as_str()), (401, "ntlm_sent"));
    }
}

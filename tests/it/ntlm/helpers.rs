//! Helpers that die, hang, lie or chatter cost one attempt at most, and sign nobody on
//! wrongly.

use std::time::Duration;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::http::Raw;
use crate::lab::ntlm::Login;
use crate::lab::{FaultyHelper, LIMIT, pass, timed, wait_until, winbind};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason, setup_of, wait_until_ready};

const FAULTS: [&str; 10] = [
    "die-before",
    "die-after",
    "die-within",
    "hang",
    "no-newline",
    "long",
    "bh",
    "wrong-verb",
    "chatter",
    "too-much",
];

fn states(protocol: &str) -> &'static [&'static str] {
    match protocol {
        "ntlm-server-1" => &["question"],
        _ => &["YR", "KK", "GK"],
    }
}

/// A gateway with `helpers` helpers that make faults when they are told to.
#[track_caller]
fn faulty(protocol: &str, helpers: usize) -> (FaultyHelper, Ntlm) {
    let helper = FaultyHelper::new();
    let lines = format!(
        "ntlm_auth = \"{}\"\nhelpers = {helpers}\nhelper_timeout = \"4s\"\n",
        helper.program().display()
    );
    // More wrong passwords than anybody is allowed otherwise.
    let core = "password_attempts_per_account = 1000\npassword_attempts_per_address = 1000\n";
    (helper, Ntlm::start_with(protocol, &lines, Setup { core, ..Setup::default() }))
}

fn wrong() -> Login {
    Login { password: "wrong".to_owned(), ..Login::of("bob") }
}

#[test]
fn a_fault_costs_one_attempt_at_most_and_signs_nobody_on_wrongly() {
    for protocol in PROTOCOLS {
        let (helper, gateway) = faulty(protocol, 2);
        for state in states(protocol) {
            for fault in FAULTS {
                helper.once(state, fault);
                let mut lost = 0;
                wait_until(LIMIT, &format!("{protocol} {state} {fault}"), || {
                    let answer = gateway.log_in(&Login::of("alice"));
                    match answer.status {
                        200 => assert_is(&answer, "alice"),
                        _ => lost += 1,
                    }
                    (!helper.waits()).then_some(())
                });
                assert!(lost <= 1, "{protocol} {state} {fault}: {lost} lost");
                // What a helper left behind is read by nobody.
                for _again in 0..3 {
                    let refused = gateway.log_in(&wrong());
                    assert_eq!(refused.status, 401, "{protocol} {state} {fault}: {refused:?}");
                    assert_eq!(reason(&refused), "logon_failed", "{protocol} {state} {fault}");
                    assert_is(&gateway.log_in(&Login::of("alice")), "alice");
                }
            }
        }
    }
}

#[test]
fn while_every_helper_fails_nobody_is_signed_on_and_afterwards_everybody_is() {
    for protocol in PROTOCOLS {
        let (helper, gateway) = faulty(protocol, 2);
        for state in states(protocol) {
            for fault in ["die-before", "hang", "bh", "wrong-verb"] {
                helper.always(state, fault);
                let refused = gateway.log_in(&Login::of("alice"));
                assert_eq!(refused.status, 503, "{protocol} {state} {fault}: {}", refused.text());
                helper.heal();
                wait_until(LIMIT, &format!("recovery: {protocol} {state} {fault}"), || {
                    let answer = gateway.log_in(&Login::of("alice"));
                    (answer.status == 200).then(|| assert_is(&answer, "alice"))
                });
            }
        }
        assert!(gateway.metric("doorward_ntlm_restarts_total") >= 1.0);
    }
}

/// Sends a first message and never looks at the answer.
#[track_caller]
fn abandon(gateway: &Gateway) -> Raw {
    let mut connection = gateway.connect();
    let first = Login::of("bob").begin().first();
    connection.send(format!("GET / HTTP/1.1\r\nHost: {}\r\nAuthorization: {first}\r\n\r\n", web()));
    connection
}

#[test]
fn two_hundred_abandoned_handshakes_on_four_helpers_keep_nobody_waiting() {
    for protocol in PROTOCOLS {
        let lines = "helpers = 4\nexchange_timeout = \"60s\"\n";
        let gateway = Ntlm::start_with(protocol, lines, Setup::default());
        let abandoned: Vec<_> = (0..200).map(|_| abandon(&gateway)).collect();
        let (answer, took) = timed(|| gateway.log_in(&Login::of("alice")));
        assert_is(&answer, "alice");
        assert!(took < Duration::from_secs(30), "{protocol}: {took:?}");
        drop(abandoned);
    }
}

#[test]
fn an_exchange_whose_helper_was_given_to_another_is_over() {
    let gateway = Ntlm::start_with("squid-2.5-ntlmssp", "helpers = 1\n", Setup::default());
    let (mut slow, mut exchange) = (gateway.connect(), Login::of("bob").begin());
    let asked = slow.get(&web(), "/", &[("Authorization", &exchange.first())]);
    assert_eq!(reason(&asked), "exchange_open");
    assert_is(&gateway.log_in(&Login::of("alice")), "alice");
    let second = exchange.next(&asked).unwrap();
    let refused = slow.get(&web(), "/", &[("Authorization", &second)]);
    assert_eq!((refused.status, reason(&refused).as_str()), (401, "exchange_interrupted"));
    assert_eq!(slow.get(&web(), "/", &[]).status, 401);
}

#[test]
fn a_client_that_takes_longer_than_exchange_timeout_has_to_begin_again() {
    for protocol in PROTOCOLS {
        let lines = "helpers = 2\nexchange_timeout = \"3s\"\n";
        let gateway = Ntlm::start_with(protocol, lines, Setup::default());
        let (mut slow, mut exchange) = (gateway.connect(), Login::of("bob").begin());
        let asked = slow.get(&web(), "/", &[("Authorization", &exchange.first())]);
        let second = exchange.next(&asked).unwrap();
        pass(Duration::from_millis(3200));
        let refused = slow.get(&web(), "/", &[("Authorization", &second)]);
        assert_eq!((refused.status, reason(&refused).as_str()), (401, "exchange_interrupted"));
        assert_is(&Login::of("bob").get(&mut slow, "/", &[]), "bob");
    }
}

#[test]
fn metrics_tell_what_helpers_do_and_what_they_said() {
    for protocol in PROTOCOLS {
        let (helper, gateway) = faulty(protocol, 3);
        let helpers =
            |state: &str| gateway.metric(&format!("doorward_ntlm_helpers{{state=\"{state}\"}}"));
        let verdicts = |verdict: &str| {
            gateway.metric(&format!("doorward_ntlm_verdicts_total{{verdict=\"{verdict}\"}}"))
        };
        wait_until(LIMIT, "warm helpers", || (helpers("idle") == 3.0).then_some(()));
        assert_is(&gateway.log_in(&Login::of("alice")), "alice");
        assert_eq!(reason(&gateway.log_in(&wrong())), "logon_failed");
        assert_eq!(reason(&gateway.log_in(&Login::of("carol"))), "logon_failed");
        assert_eq!((verdicts("granted"), verdicts("wrong_password")), (1.0, 1.0), "{protocol}");
        assert_eq!(verdicts("account_disabled"), 1.0);
        assert_eq!(gateway.metric("doorward_ntlm_restarts_total"), 0.0);
        assert_eq!((helpers("busy"), gateway.metric("doorward_ntlm_waiting")), (0.0, 0.0));

        helper.once(states(protocol)[0], "die-before");
        wait_until(LIMIT, "the fault", || {
            gateway.log_in(&Login::of("alice"));
            (!helper.waits()).then_some(())
        });
        wait_until(LIMIT, "a helper in its place", || (helpers("idle") == 3.0).then_some(()));
        assert!(gateway.metric("doorward_ntlm_restarts_total") >= 1.0);
    }
}

#[test]
fn a_first_message_that_a_helper_refuses_gives_no_challenge_and_the_helper_lives() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start_with(protocol, "helpers = 1\n", Setup::default());
        for _time in 0..5 {
            let answer =
                gateway.connect().get(&web(), "/", &[("Authorization", "NTLM TlRMTVNTUAABAAAA")]);
            assert_eq!((answer.status, reason(&answer).as_str()), (401, "defective_token"));
        }
        assert_is(&gateway.log_in(&Login::of("alice")), "alice");
    }
}

#[test]
fn winbind_that_stops_is_told_and_sign_on_returns_with_it() {
    let mut winbind = winbind::alone();
    for protocol in PROTOCOLS {
        let gateway: Gateway = setup_of(protocol, "", Setup::default()).start();
        wait_until_ready(&gateway);
        let log_in = || Login::of("alice").get(&mut gateway.connect(), "/", &[]);
        assert_is(&log_in(), "alice");
        winbind.stop();
        let refused = log_in();
        assert_eq!(
            (refused.status, reason(&refused).as_str()),
            (503, "winbind_down"),
            "{protocol}"
        );
        let said = wait_until(LIMIT, "/ready tells it", || {
            let answer = gateway.status("/ready");
            (answer.status == 503).then(|| answer.text())
        });
        assert!(said.contains("winbind"), "{said}");

        winbind.start();
        wait_until(LIMIT, "sign-on returns", || (log_in().status == 200).then_some(()));
        wait_until_ready(&gateway);
    }
}

#[test]
fn a_program_that_is_not_there_is_told() {
    let lines = "ntlm_auth = \"/nonexistent/ntlm_auth\"\n";
    let gateway = setup_of(PROTOCOLS[0], lines, Setup::default()).start();
    let refused = Login::of("alice").get(&mut gateway.connect(), "/", &[]);
    assert_eq!((refused.status, reason(&refused).as_str()), (503, "ntlm_helper_failed"));
    assert!(gateway.status("/ready").text().contains("ntlm_auth"));
}

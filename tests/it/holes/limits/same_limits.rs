//! One limit for every way to a password, and one time and one answer for every refusal.

use std::time::Duration;

use serde_json::json;

use crate::gateway::Setup;
use crate::lab::http::Response;
use crate::lab::ntlm::{Login, Wrap};
use crate::lab::realm;
use crate::lab::timed;
use crate::ntlm::{Ntlm, PROTOCOLS, reason};
use crate::password::Core;

fn start(protocol: &str) -> Ntlm {
    let setup = Setup {
        sso: r#"mechanisms = ["negotiate", "ntlm", "basic"]"#,
        core: "password_attempts_per_account = 3\n",
        ..Setup::default()
    };
    Ntlm::start_with(protocol, "", setup)
}

fn basic(gateway: &Ntlm, user: &str, password: &str) -> Response {
    gateway.get_tls(None, "/", &["--user", &format!("{user}:{password}")])
}

#[test]
fn guesses_by_ntlm_count_as_those_by_every_other_way() {
    for protocol in PROTOCOLS {
        let gateway = start(protocol);
        let (domain, dns) = (&realm().domain, realm().host("x"));
        let dns = dns.split_once('.').unwrap().1;
        let user = format!("guessed{}", protocol.len());
        let password = realm().add_user(&user);
        for name in
            [format!("{domain}\\{user}"), format!("{user}@{dns}"), format!("nowhere\\{user}")]
        {
            let answer = gateway.log_in(&Login::with(&name, "wrong"));
            assert_eq!((answer.status, &*reason(&answer)), (401, "logon_failed"), "{name}");
        }
        let right = gateway.log_in(&Login::with(&format!("{domain}\\{user}"), &password));
        assert_eq!((right.status, &*reason(&right)), (429, "too_many_attempts"), "{protocol}");
        assert!(right.header("retry-after").is_some());
        assert_eq!(basic(&gateway, &user, &password).status, 429);
        let mut core = Core::connect(&gateway.doorward.core_socket());
        assert_eq!(core.password(&user, &password).0, 429);
        // Nobody else is concerned.
        assert_eq!(gateway.log_in(&Login::of("alice")).status, 200);
    }
}

#[test]
fn guesses_by_other_ways_count_for_ntlm() {
    let gateway = start("ntlm-server-1");
    let password = realm().add_user("guessed");
    let name = format!("{}\\guessed", realm().domain);
    let mut core = Core::connect(&gateway.doorward.core_socket());
    assert_eq!(core.password("guessed", "wrong").0, 401);
    assert_eq!(basic(&gateway, "guessed", "wrong").status, 401);
    assert_eq!(gateway.log_in(&Login::with(&name, "wrong")).status, 401);
    let right = gateway.log_in(&Login::with(&name, &password));
    assert_eq!((right.status, &*reason(&right)), (429, "too_many_attempts"));
}

#[test]
fn who_has_signed_on_by_ntlm_from_an_address_keeps_an_allowance_of_his_own_there() {
    let gateway = start("ntlm-server-1");
    let password = realm().add_user("athome");
    let login = Login::with(&format!("{}\\athome", realm().domain), &password);
    assert_eq!(gateway.log_in(&login).status, 200);
    let mut core = Core::connect(&gateway.doorward.core_socket());
    for number in 1..9 {
        let client = format!("198.51.100.{number}");
        core.open(&json!({"user": "athome", "password": "wrong", "client": client}));
    }
    let elsewhere = json!({"user": "athome", "password": password, "client": "198.51.100.77"});
    assert_eq!(core.open(&elsewhere).0, 429);
    assert_eq!(gateway.log_in(&login).status, 200);
}

#[test]
fn a_refusal_by_ntlm_tells_neither_by_its_words_nor_by_its_time_whom_there_is() {
    let gateway = start("ntlm-server-1");
    realm().add_user("absent");
    realm().disable("absent");
    let domain = &realm().domain;
    for wrap in [Wrap::Ntlm, Wrap::Spnego] {
        let mut answers = Vec::new();
        for user in ["alice", "nobody-of-this-name", "absent"] {
            let login = Login { wrap, ..Login::with(&format!("{domain}\\{user}"), "wrong") };
            let (answer, took) = timed(|| gateway.log_in(&login));
            assert_eq!((answer.status, &*reason(&answer)), (401, "logon_failed"), "{user}");
            assert!(took >= Duration::from_millis(290), "{user}: {took:?}");
            let mut said = answer.json();
            said["reference"] = "".into();
            answers.push(said);
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }
}

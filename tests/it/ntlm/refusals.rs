//! What cannot stand is refused, and the answer says why.

use serde_json::Value;

use crate::gateway::web;
use crate::lab::http::Response;
use crate::lab::ntlm::{Kind, Login, Mic, Wrap};
use crate::lab::{LIMIT, realm, wait_until};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason};

#[test]
fn what_cannot_stand_has_a_word_of_its_own() {
    let alice = || Login::of("alice");
    // In the other protocol the helper checks the code itself, and says no more than no.
    for (protocol, tampered) in PROTOCOLS.into_iter().zip(["ntlm_tampered", "logon_failed"]) {
        let gateway = Ntlm::start(protocol);
        for wrap in [Wrap::Ntlm, Wrap::Raw] {
            for (login, expected) in [
                (Login { response: Kind::Lm, ..alice() }, "ntlm_too_old"),
                (Login { response: Kind::Ntlmv1, ..alice() }, "ntlm_too_old"),
                (Login { response: Kind::Anonymous, ..alice() }, "ntlm_anonymous"),
                (Login { mic: Mic::Wrong, ..alice() }, tampered),
                (Login { mic: Mic::Missing, ..alice() }, "defective_token"),
            ] {
                let answer = gateway.log_in(&Login { wrap, ..login.clone() });
                let found = (answer.status, reason(&answer));
                assert_eq!(found, (401, expected.to_owned()), "{protocol} {login:?}");
            }
        }
        assert_is(&gateway.log_in(&alice()), "alice");
    }
}

#[test]
fn a_wrong_password_and_accounts_that_are_not_there_or_disabled_look_alike() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let logins = [
            Login { password: "wrong".to_owned(), ..Login::of("alice") },
            Login::with(r"LAB\nobody-of-that-name", "wrong"),
            Login::of("carol"),
        ];
        let alike: Vec<(u16, Value, Vec<String>)> = logins
            .iter()
            .map(|login| {
                let answer = gateway.log_in(login);
                let mut said = answer.json();
                said["reference"] = Value::Null;
                (answer.status, said, header_names(&answer))
            })
            .collect();
        assert_eq!((alike[0].0, &alike[0].1["error"]), (401, &"logon_failed".into()));
        assert_eq!(alike[0], alike[1], "{protocol}");
        assert_eq!(alike[0], alike[2], "{protocol}");

        let lines = wait_until(LIMIT, "three lines of audit", || {
            let lines = gateway.doorward.audit();
            (lines.len() == 3).then_some(lines)
        });
        for (line, name) in lines.iter().zip(["alice", "nobody-of-that-name", "carol"]) {
            assert_eq!(line["reason"], "logon_failed", "{line}");
            assert!(line.to_string().contains(name), "{protocol}: nothing of {name}: {line}");
        }
        let said = |line: &Value| line["detail"].as_str().unwrap_or_default().to_lowercase();
        assert!(said(&lines[2]).contains("disabled"), "{protocol}: {}", lines[2]);
        assert!(!said(&lines[0]).contains("disabled"), "{protocol}: {}", lines[0]);
    }
}

fn header_names(answer: &Response) -> Vec<String> {
    answer.headers.iter().map(|(name, _)| name.to_lowercase()).collect()
}

#[test]
fn odd_tokens_end_in_their_own_words() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let challenge = {
        let mut exchange = Login::of("alice").begin();
        let first = exchange.first();
        let asked = gateway.connect().get(&web(), "/", &[("Authorization", &first)]);
        asked.all("www-authenticate").find(|value| value.starts_with("NTLM ")).unwrap().to_owned()
    };
    for (value, status, error) in [
        ("NTLM", 401, "empty_token"),
        ("NTLM !!!!", 400, "bad_base64"),
        ("NTLM YWJj", 401, "defective_token"),
        ("NTLM TlRMTVNTUAABAAAA", 401, "defective_token"),
        ("NTLM TlRMTVNTUAADAAAA", 401, "exchange_interrupted"),
        (challenge.as_str(), 401, "defective_token"),
    ] {
        let answer = gateway.connect().get(&web(), "/", &[("Authorization", value)]);
        let found = (answer.status, reason(&answer));
        assert_eq!(found, (status, error.to_owned()), "{value}");
    }
    let ticket = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let answer =
        gateway.connect().get(&web(), "/", &[("Authorization", &format!("NTLM {ticket}"))]);
    assert_eq!((answer.status, reason(&answer).as_str()), (401, "defective_token"));
}

#[test]
fn the_scheme_s_case_does_not_matter() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let mut exchange = Login::of("alice").begin();
    let mut connection = gateway.connect();
    let odd = |leg: String| leg.replacen("NTLM", "nTlM", 1);
    let first = odd(exchange.first());
    let asked = connection.get(&web(), "/", &[("Authorization", &first)]);
    let second = odd(exchange.next(&asked).unwrap());
    assert_is(&connection.get(&web(), "/", &[("Authorization", &second)]), "alice");
}

//! What newer peers send: more fields, and words that are not known here.

use serde::de::DeserializeOwned;
use serde_json::{Value, from_value, json};

use super::admin::{KeyList, KeyRole, KeyState, SessionList};
use super::attempts::{AttemptAnswer, AttemptAnswers, AttemptVerdict, Attempts};
use super::*;

/// Reads JSON in every object of which a newer peer has put a field.
fn read<T: DeserializeOwned>(text: Value) -> T {
    fn extended(value: Value) -> Value {
        match value {
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, extended(value)));
                fields.chain([("newer".to_owned(), json!({"more": [1]}))]).collect()
            }
            Value::Array(values) => values.into_iter().map(extended).collect(),
            other => other,
        }
    }
    from_value(extended(text)).unwrap()
}

fn session() -> Value {
    json!({"session": "s".repeat(43), "mechanism": "negotiate", "principal": "john@A.EXAMPLE",
        "user": {"login": "john", "name": "", "email": "", "company": "", "groups": [], "admin": 7},
        "channel_bound": true, "expires_at": "2026-01-01T10:00:00Z", "home_server": "a",
        "redirect": null})
}

fn refusal() -> Value {
    json!({"error": "moved", "message": "Ask there.", "reference": "ABCDEFGH", "reason": "moved",
        "ended": {"why": "moved", "at": "2026-01-01T10:00:00Z"}})
}

#[test]
fn a_session_is_read_and_an_unknown_admin_level_gives_no_rights() {
    let session: Session = read(session());
    assert_eq!(session.user.login(), "john");
    assert_eq!(session.user.admin, AdminLevel::None);
}

#[test]
fn a_refusal_keeps_an_unknown_word_and_passes_over_what_else_it_does_not_know() {
    let body: ErrorBody = read(refusal());
    assert_eq!(body.error, Word::Other("moved".into()));
    assert_eq!((body.reason, body.ended), (None, None));
    assert_eq!(body.reason(), Reason::NotPermitted);
    let mut known = refusal();
    known["error"] = json!("end_of_session");
    let body: ErrorBody = read(known);
    assert_eq!(body.error, ErrorWord::EndOfSession);
    assert_eq!(body.reason(), Reason::SessionEnded);
}

#[test]
fn of_several_answers_the_one_that_is_not_known_is_none() {
    let answers = json!([{"granted": session()}, {"refused": refusal()}, {"queued": 7}]);
    let SignOnAnswers { answers } = from_value(json!({"answers": answers})).unwrap();
    let [SignOnAnswer::Granted(_), SignOnAnswer::Refused(_), SignOnAnswer::Other] = &answers[..]
    else {
        panic!("{answers:?}")
    };
    let answers = json!({"answers": [{"begun": 7}, "wait", {"refused": refusal()}, {"ask": "x"}]});
    let AttemptAnswers { answers } = from_value(answers).unwrap();
    let [
        AttemptAnswer::Begun(7),
        AttemptAnswer::Wait,
        AttemptAnswer::Refused(_),
        AttemptAnswer::Refused(unknown),
    ] = &answers[..]
    else {
        panic!("{answers:?}")
    };
    assert_eq!(unknown.error, Word::Other("not_understood".into()));
}

#[test]
fn events_of_unknown_kinds_are_others() {
    assert_eq!(read::<Event>(json!({"event": "hello"})), Event::Hello);
    let id = SessionKey::sample("secret");
    let ended = json!({"event": "session_ended", "id": id});
    assert_eq!(read::<Event>(ended), Event::SessionEnded { id });
    assert_eq!(read::<Event>(json!({"event": "user_renamed", "user": "john"})), Event::Other);
}

#[test]
fn whom_the_core_takes_a_peer_for_is_read() {
    let whoami: Whoami = read(json!({"peer": "token", "uid": null, "key": null, "as": "DIRECTOR"}));
    assert_eq!(whoami.peer, Word::Other("token".into()));
    assert!(!whoami.acting_as.unwrap().is_front());
}

#[test]
fn lists_show_words_that_are_not_known() {
    let list: SessionList = read(json!({"next": null, "sessions": [{
        "id": SessionKey::sample("secret"), "user": "john", "company": "", "mechanism": "token",
        "principal": "john", "channel_bound": false, "opened_by": "uid 33", "impersonator": null,
        "client": null, "only_from": null, "created_at": "2026-01-01T10:00:00Z",
        "last_used_at": null, "expires_at": "2026-01-01T10:00:00Z"}]}));
    assert_eq!(list.sessions[0].mechanism.to_string(), "token");
    let key = |state: &str, role: &str| {
        json!({"file": "a.pem", "state": state, "why": null, "algorithm": null,
            "fingerprint": null, "role": role, "act_as": [], "from": [], "not_after": null})
    };
    let keys = [key("listed", "front"), key("resting", "gardener")];
    let list: KeyList =
        read(json!({"folder": "/k", "unreadable": null, "keys": keys, "next": null}));
    assert_eq!(list.keys[0].state, KeyState::Listed);
    assert_eq!(list.keys[0].role, KeyRole::Front);
    assert_eq!(list.keys[1].state.to_string(), "resting");
    assert_eq!(list.keys[1].role, Word::Other("gardener".into()));
}

#[test]
fn attempts_are_read_and_an_unknown_verdict_counts_as_wrong() {
    let attempts: Attempts = read(json!({
        "begin": [{"user": "john", "domain": "LAB", "client": "192.0.2.1"}],
        "end": [{"attempt": 1, "verdict": "right"}, {"attempt": 2, "verdict": "doubtful"}]}));
    assert_eq!(attempts.begin[0].user, "john");
    let verdicts: Vec<_> = attempts.end.iter().map(|ended| ended.verdict).collect();
    assert_eq!(verdicts, [AttemptVerdict::Right, AttemptVerdict::Wrong]);
}

#[test]
fn what_a_newer_front_proves_is_read_and_its_words_must_be_known() {
    let proof = |mechanism: &str, kind: &str| {
        json!({"mechanism": mechanism, "principal": "john@A.EXAMPLE", "acceptor_realm": null,
            "account": {"sam": "john", "kind": kind}, "channel_bound": false, "ends_at": null})
    };
    assert_eq!(read::<Proof>(proof("negotiate", "person")).principal, "john@A.EXAMPLE");
    // Who it is, and by what, decides who signs on.
    for odd in [proof("token", "person"), proof("negotiate", "machine")] {
        assert!(from_value::<Proof>(odd).is_err());
    }
}

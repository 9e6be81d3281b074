//! When sessions end.

use super::*;
use crate::wire::Proof;

#[test]
fn a_session_that_is_never_claimed_ends_after_two_minutes() {
    for (second, expected) in [(119, true), (120, false)] {
        let sessions = empty();
        open(&sessions, "john", "a", at(0));
        assert_eq!(lives(&sessions, "a", at(second)), expected, "second {second}");
    }
}

#[test]
fn a_claimed_session_ends_when_it_is_unused_for_the_timeout() {
    for (second, expected) in [(299, true), (300, false)] {
        let sessions = empty();
        open(&sessions, "john", "a", at(0));
        assert!(lives(&sessions, "a", at(100)));
        assert!(lives(&sessions, "a", at(350)));
        assert_eq!(lives(&sessions, "a", at(350 + second)), expected, "second {second}");
    }
}

#[test]
fn a_session_in_use_ends_after_its_lifetime() {
    let sessions = empty();
    open(&sessions, "john", "a", at(0));
    for second in (0..LIFETIME).step_by(100) {
        assert!(lives(&sessions, "a", at(second)));
    }
    assert!(lives(&sessions, "a", at(LIFETIME - 1)));
    assert!(!lives(&sessions, "a", at(LIFETIME)));
}

#[test]
fn a_clock_that_is_set_back_ends_nothing_early() {
    let sessions = empty();
    open(&sessions, "john", "a", at(0));
    assert!(lives(&sessions, "a", at(100)));
    assert!(lives(&sessions, "a", at(50)));
    assert!(lives(&sessions, "a", at(399)));
}

#[test]
fn expiry_ends_exactly_what_is_over() {
    let sessions = empty();
    open(&sessions, "john", "unclaimed", at(0));
    open(&sessions, "john", "idle", at(0));
    open(&sessions, "john", "used", at(0));
    lives(&sessions, "idle", at(10));
    lives(&sessions, "used", at(10));
    lives(&sessions, "used", at(200));
    let expired = |second| {
        let mut expired = Vec::new();
        sessions.sweep(at(second), |ended| expired.push(ended.record.key));
        expired
    };
    assert_eq!(expired(119), []);
    assert_eq!(expired(120), keys(&["unclaimed"]));
    assert_eq!(expired(309), []);
    assert_eq!(expired(310), keys(&["idle"]));
    assert_eq!(expired(499), []);
    assert_eq!(expired(500), keys(&["used"]));
    assert_eq!(sessions.len(), 0);
}

#[test]
fn a_stricter_timeout_holds_for_sessions_that_live() {
    let sessions = empty();
    open(&sessions, "john", "a", at(0));
    lives(&sessions, "a", at(0));
    sessions.set_limits(Limits { timeout: Duration::from_secs(10), ..LIMITS });
    sessions.sweep(at(9), |_| panic!("too early"));
    sessions.sweep(at(10), |ended| assert_eq!(ended.why, Ending::Idle));
    assert_eq!(sessions.len(), 0);
}

#[test]
fn a_session_bound_to_an_address_is_refused_elsewhere_and_not_used_by_it() {
    let sessions = empty();
    let home = "192.0.2.1".parse().ok();
    let bound = Record { only_from: home, ..record("john", "a", at(0)) };
    let key = bound.key;
    insert(&sessions, bound, at(0));
    for other in [None, "192.0.2.2".parse().ok()] {
        assert_eq!(sessions.resolve(&key, other, at(1)), Err(Reason::AddressChanged));
    }
    assert!(sessions.table().take_unwritten().uses.is_empty(), "a refused use is no use");
    assert!(sessions.resolve(&key, home, at(2)).is_ok());
}

#[test]
fn whoever_comes_too_late_is_told_why_and_when() {
    let sessions = with(Limits { per_user: 1, ..LIMITS });
    let told = |name: &str, second| {
        sessions.ended(&SessionKey::sample(name), at(second)).map(|ended| (ended.why, ended.at))
    };
    open(&sessions, "john", "idle", at(0));
    assert_eq!(told("idle", 0), None, "it lives");
    assert!(lives(&sessions, "idle", at(10)));
    assert_eq!(told("idle", 310), Some((Ending::Idle, at(310))), "before it is swept");
    sessions.sweep(at(400), |_| {});
    assert_eq!(told("idle", 400), Some((Ending::Idle, at(310))), "and after");

    open(&sessions, "mary", "first", at(0));
    open(&sessions, "mary", "second", at(5));
    assert_eq!(told("first", 5), Some((Ending::Displaced, at(5))));
    sessions.table().end(&SessionKey::sample("second"), SIGNED_OFF);
    assert_eq!(told("second", 5), Some((Ending::Logout, at(1))));
    open(&sessions, "mary", "third", at(0));
    assert_eq!(told("third", 120), Some((Ending::Unclaimed, at(120))));
    assert_eq!(told("made up", 120), None);
    assert!(ready(sessions.end(&SessionKey::sample("made up"), Ending::Admin, at(1))).is_none());
    assert_eq!(told("made up", 120), None, "nothing ended");
}

#[test]
fn a_ticket_that_ends_before_the_lifetime_ends_the_session_and_is_named() {
    let sessions = empty();
    for (mechanism, ends_at, why) in [
        (Mechanism::Negotiate, Some(at(200)), Ending::TicketEnd),
        (Mechanism::Certificate, Some(at(200)), Ending::CertificateEnd),
        (Mechanism::Negotiate, Some(at(LIFETIME + 1)), Ending::Lifetime),
        (Mechanism::Basic, None, Ending::Lifetime),
    ] {
        let proof = Proof {
            mechanism,
            principal: "john@EXAMPLE.TEST".to_owned(),
            acceptor_realm: Some("EXAMPLE.TEST".to_owned()),
            account: None,
            public_key: None,
            channel_bound: false,
            ends_at,
            groups: Vec::new(),
        };
        let identified = Identified::proven(proof, &Rules::new(&[], &[], Vec::new())).unwrap();
        let admitted = admit(identified, LIMITS.lifetime, at(0)).unwrap();
        let opened = ready(sessions.open_one(admitted, Origin::default(), at(0))).unwrap();
        let record = &opened.record;
        let mut used = at(0);
        while used < record.expires_at {
            assert!(sessions.resolve(&record.key, None, used).is_ok(), "{mechanism:?}");
            used = used.plus(Duration::from_secs(100));
        }
        let told = sessions.ended(&record.key, record.expires_at);
        assert_eq!(told, Some(Ended { why, at: record.expires_at }), "{mechanism:?}");
    }
}

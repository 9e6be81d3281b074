use super::*;
use crate::core_server::store::suite::session;

fn read_again(row: &str) -> Result<Record, Unread> {
    let session = session("a", "john");
    read_session(row, session.key, Arc::clone(&session.user), session.usage, |by| by.into())
}

#[test]
fn what_is_written_is_read_again() {
    let mut record = session("a", "john");
    assert_eq!(read_again(&of_session(&record).unwrap()), Ok(record.clone()));
    record.public_key = Some(Fingerprint::of_spki(b"a key"));
    record.only_from = Some("2001:db8::7".parse().unwrap());
    record.impersonator = Some("root \"the first\"".to_owned());
    record.client = Some("192.0.2.7".parse().unwrap());
    record.opened_by = "".into();
    assert_eq!(read_again(&of_session(&record).unwrap()), Ok(record.clone()));
    let mut user = User::clone(&record.user);
    assert_eq!(read_user(&of_user(&user).unwrap()), Ok(user.clone()));
    user.groups.clear();
    user.name = "John Doe".to_owned();
    user.admin = AdminLevel::System;
    assert_eq!(read_user(&of_user(&user).unwrap()), Ok(user));
}

/// What lies in databases must be read for ever: these texts are never changed.
#[test]
fn rows_of_the_first_version_are_read() {
    let row = r#"{"v":1,"mechanism":"negotiate","principal":"john@EXAMPLE.TEST",
        "channel_bound":true,"opened_at":1000,"expires_at":37000,"opened_by":"uid 33"}"#;
    let read = read_again(row).unwrap();
    assert_eq!((read.mechanism, read.expires_at.unix()), (Mechanism::Negotiate, 37_000));
    let user = read_user(r#"{"v":1,"login":"john","groups":["S-1-5-32-544"],"admin":1}"#).unwrap();
    let expected = ("john", 1, AdminLevel::Company);
    assert_eq!((user.login(), user.groups.len(), user.admin), expected);
}

#[test]
fn what_a_newer_version_adds_is_ignored_and_what_it_changes_is_left_to_it() {
    let mut session_by_key = session("a", "john");
    session_by_key.public_key = Some(Fingerprint::of_spki(b"a key"));
    let by_key = of_session(&session_by_key).unwrap();
    let known = of_session(&session("a", "john")).unwrap();
    let more = known.replacen('{', r#"{"home":{"node":"z1"},"#, 1);
    assert_eq!(read_again(&more), read_again(&known));
    let user = of_user(&session("a", "john").user).unwrap();
    assert!(read_user(&user.replacen('{', r#"{"quota":[1,2],"#, 1)).is_ok());

    for newer in [
        known.replace(r#""v":1"#, r#""v":2"#),
        r#"{"v":2,"principals":["a","b"]}"#.to_owned(),
        known.replace("negotiate", "telepathy"),
        by_key.replace("public_key\":\"", "public_key\":\"sha3-"),
    ] {
        assert_eq!(read_again(&newer), Err(Unread::Newer), "{newer}");
    }
    assert_eq!(read_user(r#"{"v":9,"person":7}"#), Err(Unread::Newer));
}

#[test]
fn nonsense_is_damage() {
    for row in ["", "null", "{}", "[1]", r#"{"v":1}"#, r#"{"v":"one","login":"john"}"#] {
        assert!(matches!(read_again(row), Err(Unread::Damaged(_))), "{row}");
        assert!(matches!(read_user(row), Err(Unread::Damaged(_))), "{row}");
    }
}

#[test]
fn every_mechanism_and_every_end_has_its_word() {
    for mechanism in Mechanism::ALL.iter().copied() {
        let record = Record { mechanism, ..session("a", "john") };
        let read = read_again(&of_session(&record).unwrap()).unwrap();
        assert_eq!(read.mechanism, mechanism);
    }
    assert_eq!(ending("ticket_end"), Some(Ending::TicketEnd));
    assert_eq!(ending("boredom"), None);
}

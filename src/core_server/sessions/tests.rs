use std::path::Path;
use std::time::Duration;

use super::*;
use crate::core_server::request::admit::admit;
use crate::core_server::request::identified::{Identified, Named};
use crate::core_server::rights::{Actor, VouchFor, permit};
use crate::core_server::store::{Changes, Database};
use crate::identity::Rules;
use crate::wire::{LoginId, Mechanism, Proof};

const LIMITS: Limits = Limits {
    timeout: Duration::from_secs(300),
    unclaimed: Duration::from_secs(120),
    lifetime: Duration::from_secs(LIFETIME),
    per_user: 3,
};
const LIFETIME: u64 = 36_000;
const START: u64 = 1_000_000;
const SIGNED_OFF: Ended = Ended { why: Ending::Logout, at: at(1) };

const fn at(second: u64) -> Timestamp {
    Timestamp::from_unix(START + second)
}

fn identified(
    login: &str,
    mechanism: Mechanism,
    ends_at: Option<Timestamp>,
    groups: &[&str],
) -> Identified {
    let proof = Proof {
        mechanism,
        principal: format!("{login}@EXAMPLE.TEST"),
        acceptor_realm: Some("EXAMPLE.TEST".to_owned()),
        account: None,
        public_key: None,
        channel_bound: false,
        ends_at,
        groups: groups.iter().map(ToString::to_string).collect(),
    };
    Identified::proven(proof, &Rules::new(&[], &[], Vec::new())).unwrap()
}

fn admission(login: &str, groups: &[&str], now: Timestamp) -> Admission {
    let identified = if groups.is_empty() {
        let named = Named::read(login.to_owned(), &Rules::new(&[], &[], Vec::new())).unwrap();
        Identified::vouched(permit(Actor::System, VouchFor(named)).unwrap())
    } else {
        identified(login, Mechanism::Negotiate, None, groups)
    };
    admit(identified, Duration::from_secs(LIFETIME), now).unwrap()
}

fn empty() -> Table {
    Table::load(Vec::new(), LIMITS, at(0))
}

/// Opens a session named `secret`, and says which ones made room.
fn open(table: &mut Table, login: &str, secret: &str, now: Timestamp) -> Vec<SessionKey> {
    let record =
        table.prepare(admission(login, &[], now), SessionKey::of(secret), Origin::default(), now);
    table.insert(record, now).into_iter().map(|ended| ended.record.key).collect()
}

fn lives(table: &mut Table, secret: &str, now: Timestamp) -> bool {
    table.resolve(&SessionKey::of(secret), None, now).is_ok()
}

fn keys(secrets: &[&str]) -> Vec<SessionKey> {
    secrets.iter().map(|secret| SessionKey::of(secret)).collect()
}

#[test]
fn a_session_that_is_never_claimed_ends_after_two_minutes() {
    for (second, expected) in [(119, true), (120, false)] {
        let mut table = empty();
        open(&mut table, "john", "a", at(0));
        assert_eq!(lives(&mut table, "a", at(second)), expected, "second {second}");
    }
}

#[test]
fn a_claimed_session_ends_when_it_is_unused_for_the_timeout() {
    for (second, expected) in [(299, true), (300, false)] {
        let mut table = empty();
        open(&mut table, "john", "a", at(0));
        assert!(lives(&mut table, "a", at(100)));
        assert!(lives(&mut table, "a", at(350)));
        assert_eq!(lives(&mut table, "a", at(350 + second)), expected, "second {second}");
    }
}

#[test]
fn a_session_in_use_ends_after_its_lifetime() {
    let mut table = empty();
    open(&mut table, "john", "a", at(0));
    for second in (0..LIFETIME).step_by(100) {
        assert!(lives(&mut table, "a", at(second)));
    }
    assert!(lives(&mut table, "a", at(LIFETIME - 1)));
    assert!(!lives(&mut table, "a", at(LIFETIME)));
}

#[test]
fn a_clock_that_is_set_back_ends_nothing_early() {
    let mut table = empty();
    open(&mut table, "john", "a", at(0));
    assert!(lives(&mut table, "a", at(100)));
    assert!(lives(&mut table, "a", at(50)));
    assert!(lives(&mut table, "a", at(399)));
}

#[test]
fn expiry_ends_exactly_what_is_over() {
    let mut table = empty();
    open(&mut table, "john", "unclaimed", at(0));
    open(&mut table, "john", "idle", at(0));
    open(&mut table, "john", "used", at(0));
    lives(&mut table, "idle", at(10));
    lives(&mut table, "used", at(10));
    lives(&mut table, "used", at(200));
    let mut expired = |second| {
        let ended = table.expire(at(second), usize::MAX);
        ended.into_iter().map(|ended| ended.record.key).collect::<Vec<_>>()
    };
    assert_eq!(expired(119), []);
    assert_eq!(expired(120), keys(&["unclaimed"]));
    assert_eq!(expired(309), []);
    assert_eq!(expired(310), keys(&["idle"]));
    assert_eq!(expired(499), []);
    assert_eq!(expired(500), keys(&["used"]));
    assert_eq!(table.len(), 0);
}

#[test]
fn at_the_bound_the_oldest_session_makes_room_that_had_time_to_be_claimed_and_was_not() {
    let mut table = empty();
    open(&mut table, "john", "claimed", at(0));
    lives(&mut table, "claimed", at(1));
    open(&mut table, "john", "b", at(2));
    open(&mut table, "john", "c", at(3));
    assert_eq!(open(&mut table, "john", "d", at(7)), keys(&["b"]));
    assert_eq!(open(&mut table, "john", "e", at(8)), keys(&["c"]));
    assert!(lives(&mut table, "claimed", at(9)));
    assert_eq!(table.len(), 3);
}

#[test]
fn a_session_that_had_no_time_to_be_claimed_goes_after_those_unused_for_longer() {
    let mut table = empty();
    for (secret, second) in [("a", 0), ("b", 1), ("c", 1)] {
        open(&mut table, "john", secret, at(second));
        lives(&mut table, secret, at(second));
    }
    assert_eq!(open(&mut table, "john", "d", at(2)), keys(&["a"]));
    assert_eq!(open(&mut table, "john", "e", at(2)), keys(&["b"]));
    assert_eq!(open(&mut table, "john", "f", at(2)), keys(&["c"]));
    // Nothing but fresh ones: the first of them.
    assert_eq!(open(&mut table, "john", "g", at(2)), keys(&["d"]));
    assert!(lives(&mut table, "g", at(3)));
}

/// A monitor opens as many as it may and uses each once; then a person comes.
#[test]
fn who_signs_on_beside_twenty_thousand_used_sessions_keeps_the_new_one() {
    let limits = Limits { per_user: 20_000, ..LIMITS };
    let mut table = Table::load(Vec::new(), limits, at(0));
    for number in 0..20_000 {
        let secret = format!("monitor {number}");
        open(&mut table, "john", &secret, at(number / 1_000));
        lives(&mut table, &secret, at(number / 1_000));
    }
    for number in 0..100 {
        let secret = format!("person {number}");
        // The order within a second is that of the opening.
        let oldest = |more| keys(&[&format!("monitor {}", 2 * number + more)]);
        assert_eq!(open(&mut table, "john", &secret, at(20)), oldest(0));
        // The monitor goes on meanwhile.
        let another = format!("more {number}");
        assert_eq!(open(&mut table, "john", &another, at(20)), oldest(1));
        lives(&mut table, &another, at(20));
        assert!(lives(&mut table, &secret, at(21)), "{number}");
    }
    assert_eq!(table.len(), 20_000);
}

#[test]
fn where_all_are_claimed_the_one_unused_longest_makes_room() {
    let mut table = empty();
    for (secret, second) in [("a", 0), ("b", 1), ("c", 2)] {
        open(&mut table, "john", secret, at(second));
        lives(&mut table, secret, at(second));
    }
    lives(&mut table, "a", at(10));
    assert_eq!(open(&mut table, "john", "d", at(11)), keys(&["b"]));
    lives(&mut table, "d", at(11));
    assert_eq!(open(&mut table, "john", "e", at(12)), keys(&["c"]));
}

#[test]
fn the_bound_is_each_users_own_whatever_the_groups() {
    let mut table = empty();
    for secret in ["a", "b", "c"] {
        open(&mut table, "john", secret, at(0));
    }
    assert_eq!(open(&mut table, "mary", "d", at(1)), []);
    let key = SessionKey::of("e");
    let record =
        table.prepare(admission("john", &["S-1-5-32-544"], at(2)), key, Origin::default(), at(2));
    let gone = table.insert(record, at(2));
    assert_eq!(gone.len(), 1);
    assert_eq!(gone[0].record.key, SessionKey::of("a"));
}

#[test]
fn a_bound_of_nothing_still_allows_one_session() {
    let mut table = Table::load(Vec::new(), Limits { per_user: 0, ..LIMITS }, at(0));
    assert_eq!(open(&mut table, "john", "a", at(0)), []);
    assert_eq!(open(&mut table, "john", "b", at(0)), keys(&["a"]));
    assert!(lives(&mut table, "b", at(0)));
}

#[test]
fn a_session_bound_to_an_address_is_refused_elsewhere_and_not_used_by_it() {
    let mut table = empty();
    let home = "192.0.2.1".parse().ok();
    let key = SessionKey::of("a");
    let origin = Origin { only_from: home, ..Origin::default() };
    let record = table.prepare(admission("john", &[], at(0)), key, origin, at(0));
    table.insert(record, at(0));
    for other in [None, "192.0.2.2".parse().ok()] {
        assert_eq!(table.resolve(&key, other, at(1)), Err(Reason::AddressChanged));
    }
    assert!(table.take_changes().is_empty(), "a refused use is no use");
    assert!(table.resolve(&key, home, at(2)).is_ok());
}

#[test]
fn sessions_share_the_user_until_the_last_one_ends() {
    let mut table = empty();
    let mut records = Vec::new();
    for secret in ["a", "b"] {
        let admission = admission("john", &["S-1-5-32-544"], at(0));
        records.push(table.prepare(admission, SessionKey::of(secret), Origin::default(), at(0)));
    }
    assert!(Arc::ptr_eq(&records[0].user, &records[1].user));
    let id = records[0].user_id;
    for record in records {
        table.insert(record, at(0));
    }
    table.end(&SessionKey::of("a"), SIGNED_OFF);
    assert_eq!(table.take_changes(), Changes { ended: vec![0], ..Changes::default() });
    table.end(&SessionKey::of("b"), SIGNED_OFF);
    let changes = Changes { ended: vec![1], forgotten: vec![id], ..Changes::default() };
    assert_eq!(table.take_changes(), changes);
    open(&mut table, "john", "c", at(1));
    assert!(lives(&mut table, "c", at(1)));
}

#[test]
fn an_abandoned_session_leaves_nothing_behind() {
    let mut table = empty();
    let record =
        table.prepare(admission("john", &[], at(0)), SessionKey::of("a"), Origin::default(), at(0));
    table.abandon(&record);
    assert_eq!(table.take_changes().forgotten, [record.user_id]);
    assert!(!lives(&mut table, "a", at(0)));
    assert_eq!(table.len(), 0);
}

#[test]
fn a_stricter_timeout_holds_for_sessions_that_live() {
    let mut table = empty();
    open(&mut table, "john", "a", at(0));
    lives(&mut table, "a", at(0));
    table.set_limits(Limits { timeout: Duration::from_secs(10), ..LIMITS });
    assert_eq!(table.expire(at(9), usize::MAX).len(), 0);
    assert_eq!(table.expire(at(10), usize::MAX).len(), 1);
}

/// What a table with these sessions stores: `(secret, last used, claimed)`.
fn stored(sessions: &[(&str, u64, bool)]) -> Vec<Record> {
    let mut table = Table::load(Vec::new(), Limits { per_user: 100, ..LIMITS }, at(0));
    let prepare = |(secret, second, claimed): &(&str, u64, bool)| {
        let admission = admission("john", &[], at(*second));
        let record =
            table.prepare(admission, SessionKey::of(secret), Origin::default(), at(*second));
        let mut record = Arc::unwrap_or_clone(record);
        record.usage.claimed = *claimed;
        record
    };
    sessions.iter().map(prepare).collect()
}

#[test]
fn after_a_restart_sessions_go_on_and_unclaimed_ones_get_fresh_grace() {
    let stored = stored(&[("used", 500, true), ("idle", 0, true), ("unclaimed", 0, false)]);
    let mut table = Table::load(stored, LIMITS, at(600));
    assert_eq!(table.take_changes().ended, [1], "the idle one ended while the core was down");
    assert!(lives(&mut table, "used", at(700)));
    assert!(lives(&mut table, "unclaimed", at(719)));
    assert!(!lives(&mut table, "idle", at(601)));
    assert_eq!(open(&mut table, "mary", "new", at(600)), []);
    assert_eq!(table.len(), 3);
}

#[test]
fn a_restart_keeps_the_bound() {
    let stored = stored(&[("a", 0, true), ("b", 1, true), ("c", 2, true), ("d", 3, true)]);
    let mut table = Table::load(stored, LIMITS, at(10));
    assert_eq!(table.take_changes().ended, [0]);
    assert_eq!(table.len(), 3);
}

fn start(directory: &Path, pages: Option<i64>) -> Sessions {
    let mut database = Database::open(directory).unwrap();
    if let Some(pages) = pages {
        database.limit_pages(pages);
    }
    let stored = database.load().unwrap();
    Sessions::start(stored, Store::start(database).unwrap(), LIMITS, at(0))
}

async fn open_one(sessions: &Sessions, login: &str) -> Result<SessionSecret, NotOpened> {
    let admission = admission(login, &[], at(0));
    Ok(sessions.open_one(admission, Origin::default(), at(0)).await?.secret)
}

#[tokio::test]
async fn after_a_crash_granted_sessions_live_and_ended_ones_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = start(directory.path(), None);
    let kept = SessionKey::of(&open_one(&sessions, "john").await.unwrap());
    let ended = SessionKey::of(&open_one(&sessions, "john").await.unwrap());
    let (_, recorded) = sessions.end(&ended, Ending::Logout, at(1)).await.unwrap();
    assert_eq!(recorded, Ok(()));
    let after_crash = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), after_crash.path().join(file.file_name())).unwrap();
    }
    let again = start(after_crash.path(), None);
    assert!(again.resolve(&kept, None, at(1)).is_ok());
    assert_eq!(again.resolve(&ended, None, at(1)), Err(Reason::SessionEnded));
}

#[tokio::test]
async fn no_two_sessions_have_one_secret() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = start(directory.path(), None);
    let secret = SessionSecret::from_bits(&[1; 32]);
    let origin = || Origin { secret: Some(secret.clone()), ..Origin::default() };
    let wanted = |login| (login, admission(login, &[], at(0)), origin());
    let opened = sessions.open(vec![wanted("john"), wanted("mary")], at(0)).await;
    assert_eq!(opened[0].1.as_ref().unwrap().secret, secret);
    assert!(opened[1].1.is_err(), "not even in one go");
    let again = || sessions.open_one(admission("mary", &[], at(0)), origin(), at(0));
    assert_eq!(again().await.unwrap_err(), NotOpened::SecretTaken);
    assert_eq!(sessions.resolve(&secret.key(), None, at(1)).unwrap().user.login(), "john");
    sessions.end(&secret.key(), Ending::Logout, at(1)).await.unwrap().1.unwrap();
    assert!(again().await.is_ok());
}

#[tokio::test]
async fn on_a_full_disk_nobody_new_comes_in_and_nobody_is_thrown_out() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = start(directory.path(), Some(16));
    let mut johns = Vec::new();
    for _ in 0..LIMITS.per_user {
        johns.push(open_one(&sessions, "john").await.unwrap());
    }
    let mut others = Vec::new();
    let full = loop {
        match open_one(&sessions, &format!("user{}", others.len())).await {
            Ok(secret) => others.push(secret),
            Err(error) => break error,
        }
    };
    assert_eq!(full, NotOpened::Unrecorded(WriteError::Full));
    let lives = |secret: &SessionSecret| sessions.resolve(&secret.key(), None, at(1)).is_ok();
    // John is at his bound: had he come in, one of his would have made room.
    assert_eq!(open_one(&sessions, "john").await, Err(full));
    assert!(johns.iter().all(lives));
    assert!(others.iter().all(lives));

    for secret in &others {
        let (_, recorded) =
            sessions.end(&SessionKey::of(secret), Ending::Logout, at(1)).await.unwrap();
        assert_eq!(recorded, Ok(()));
    }
    let new = open_one(&sessions, "john").await.unwrap();
    assert!(lives(&new));
    assert!(!johns.iter().all(lives), "the oldest of his made room");
}

#[tokio::test]
async fn a_thousand_sign_ons_at_once_are_all_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = Arc::new(start(directory.path(), None));
    let opening: Vec<_> = (0..1000)
        .map(|number| {
            let sessions = Arc::clone(&sessions);
            tokio::spawn(async move { open_one(&sessions, &format!("user{number}")).await })
        })
        .collect();
    for opened in opening {
        opened.await.unwrap().unwrap();
    }
    drop(sessions);
    assert_eq!(start(directory.path(), None).len(), 1000);
}

#[test]
fn sessions_are_listed_in_the_order_in_which_they_were_opened_page_by_page() {
    let mut table = empty();
    for (login, secret) in [("mary", "a"), ("john", "b"), ("mary", "c"), ("john", "d")] {
        open(&mut table, login, secret, at(0));
    }
    assert!(lives(&mut table, "b", at(100)), "a use changes no order");
    let list = |whose: &Whose, after, at_most, second| {
        let seen = table.list(whose, after, at_most, at(second));
        seen.iter().map(|seen| (seen.record.serial, seen.record.key)).collect::<Vec<_>>()
    };
    let of = |of: &[(u64, &str)]| {
        of.iter().map(|(serial, secret)| (*serial, SessionKey::of(secret))).collect::<Vec<_>>()
    };
    assert_eq!(list(&Whose::All, None, 3, 0), of(&[(0, "a"), (1, "b"), (2, "c")]));
    assert_eq!(list(&Whose::All, Some(2), 3, 0), of(&[(3, "d")]));
    assert_eq!(list(&Whose::All, Some(u64::MAX), 3, 0), []);
    let john = Whose::User(LoginId::without_company("john"));
    assert_eq!(list(&john, None, 9, 0), of(&[(1, "b"), (3, "d")]));
    assert_eq!(list(&john, Some(1), 9, 0), of(&[(3, "d")]));
    let namesake = Whose::User(LoginId::new("john", "acme"));
    assert_eq!(list(&namesake, None, 1, 0), [], "of another tenant");
    let id = SessionKey::of("c").short();
    assert_eq!(list(&Whose::Id(id), None, 9, 0), of(&[(2, "c")]));
    // What has run out is not listed, even before it is swept.
    assert_eq!(list(&Whose::All, None, 9, 120), of(&[(1, "b")]));
}

#[test]
fn looking_at_a_session_is_no_use_of_it() {
    let mut table = empty();
    open(&mut table, "john", "a", at(0));
    let key = SessionKey::of("a");
    let seen = table.see(&key, at(100)).unwrap();
    assert_eq!(seen.usage, crate::core_server::store::Usage { last_used: at(0), claimed: false });
    assert!(table.take_changes().is_empty());
    assert_eq!(table.see(&key, at(120)), None);
}

#[test]
fn whoever_comes_too_late_is_told_why_and_when() {
    let mut table = Table::load(Vec::new(), Limits { per_user: 1, ..LIMITS }, at(0));
    let told = |table: &Table, secret: &str, second| {
        table.ended(&SessionKey::of(secret), at(second)).map(|ended| (ended.why, ended.at))
    };
    open(&mut table, "john", "idle", at(0));
    assert_eq!(told(&table, "idle", 0), None, "it lives");
    assert!(lives(&mut table, "idle", at(10)));
    assert_eq!(told(&table, "idle", 310), Some((Ending::Idle, at(310))), "before it is swept");
    table.expire(at(400), usize::MAX);
    assert_eq!(told(&table, "idle", 400), Some((Ending::Idle, at(310))), "and after");

    open(&mut table, "mary", "first", at(0));
    open(&mut table, "mary", "second", at(5));
    assert_eq!(told(&table, "first", 5), Some((Ending::Displaced, at(5))));
    table.end(&SessionKey::of("second"), SIGNED_OFF);
    assert_eq!(told(&table, "second", 5), Some((Ending::Logout, at(1))));
    open(&mut table, "mary", "third", at(0));
    assert_eq!(told(&table, "third", 120), Some((Ending::Unclaimed, at(120))));
    assert_eq!(told(&table, "made up", 120), None);
}

#[test]
fn a_ticket_that_ends_before_the_lifetime_ends_the_session_and_is_named() {
    let mut table = empty();
    for (secret, mechanism, ends_at, why) in [
        ("ticket", Mechanism::Negotiate, Some(at(200)), Ending::TicketEnd),
        ("certificate", Mechanism::Certificate, Some(at(200)), Ending::CertificateEnd),
        ("long", Mechanism::Negotiate, Some(at(LIFETIME + 1)), Ending::Lifetime),
        ("password", Mechanism::Basic, None, Ending::Lifetime),
    ] {
        let identified = identified("john", mechanism, ends_at, &[]);
        let admitted = admit(identified, LIMITS.lifetime, at(0)).unwrap();
        let record = table.prepare(admitted, SessionKey::of(secret), Origin::default(), at(0));
        let end = record.expires_at;
        table.insert(record, at(0));
        let mut used = at(0);
        while used < end {
            assert!(lives(&mut table, secret, used), "{secret}");
            used = used.plus(Duration::from_secs(100));
        }
        let told = table.ended(&SessionKey::of(secret), end).map(|ended| (ended.why, ended.at));
        assert_eq!(told, Some((why, end)), "{secret}");
    }
}

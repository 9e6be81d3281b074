//! Sessions and the database.

use std::path::Path;

use super::*;
use crate::core_server::store::{Database, Sqlite};

pub(super) async fn start(directory: &Path, pages: Option<i64>) -> Sessions {
    let database = Database::open(directory).unwrap();
    if let Some(pages) = pages {
        database.limit_pages(pages);
    }
    let store = Box::new(Sqlite::start(database).unwrap());
    Sessions::start(store, LIMITS, at(0)).await.unwrap()
}

#[test]
fn sessions_share_the_user_until_the_last_one_ends() {
    let sessions = empty();
    let share = |name| {
        let mut table = sessions.table();
        table.prepare(SessionKey::sample(name), user("john", &["S-1-5-32-544"])).unwrap()
    };
    let (first, second) = (share("a"), share("b"));
    assert!(Arc::ptr_eq(&first, &second));
    let mut table = sessions.table();
    for (name, user) in [("a", &first), ("b", &second)] {
        let record = Record { user: Arc::clone(user), ..record("john", name, at(0)) };
        table.insert(Arc::new(record), at(0)).unwrap();
    }
    table.end(&SessionKey::sample("a"), SIGNED_OFF);
    assert_eq!(table.accounts.len(), 1);
    table.end(&SessionKey::sample("b"), SIGNED_OFF);
    assert_eq!(table.accounts.len(), 0);
    let ends = table.take_unwritten().ends;
    assert_eq!(ends.iter().map(|end| end.key).collect::<Vec<_>>(), keys(&["a", "b"]));
    assert!(ends.iter().all(|end| (end.ended, end.expires_at) == (SIGNED_OFF, at(LIFETIME))));
}

#[test]
fn an_abandoned_session_leaves_nothing_behind() {
    let sessions = empty();
    let record = record("john", "a", at(0));
    let mut table = sessions.table();
    for _ in 0..2 {
        assert!(table.prepare(record.key, Arc::clone(&record.user)).is_some());
        assert!(table.prepare(record.key, Arc::clone(&record.user)).is_none(), "it is on its way");
        table.abandon(&record);
        assert_eq!((table.sessions.len(), table.accounts.len()), (0, 0));
    }
}

/// What a core that begins finds: `(name, last used, claimed)`.
fn stored(sessions: &[(&str, u64, bool)]) -> Table {
    let record = |&(name, second, claimed): &(&str, u64, bool)| {
        let usage = Usage { last_used: at(second), claimed };
        Arc::new(Record { usage, ..record("john", name, at(second)) })
    };
    let sessions = sessions.iter().map(record).collect();
    Table::load(Stored { sessions, ..Stored::default() }, LIMITS, at(600))
}

fn ends(table: &mut Table) -> Vec<SessionKey> {
    table.take_unwritten().ends.iter().map(|end| end.key).collect()
}

#[test]
fn after_a_restart_sessions_go_on_and_unclaimed_ones_get_fresh_grace() {
    let mut table = stored(&[("used", 500, true), ("idle", 0, true), ("unclaimed", 0, false)]);
    assert_eq!(ends(&mut table), keys(&["idle"]), "it ended while the core was down");
    let lives = |name: &str, second| table.live(&SessionKey::sample(name), at(second)).is_some();
    assert!(lives("used", 700));
    assert!(lives("unclaimed", 719));
    assert!(!lives("unclaimed", 720));
    assert!(!lives("idle", 601));
}

#[test]
fn a_restart_keeps_the_bound() {
    let mut table =
        stored(&[("a", 500, true), ("b", 501, true), ("c", 502, true), ("d", 503, true)]);
    assert_eq!(ends(&mut table), keys(&["a"]));
    assert_eq!(table.sessions.len(), 3);
}

#[tokio::test]
async fn after_a_crash_granted_sessions_live_and_ended_ones_do_not() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = start(directory.path(), None).await;
    let kept = open_one(&sessions, "john").await.unwrap().key();
    let ended = open_one(&sessions, "john").await.unwrap().key();
    let (_, recorded) = sessions.end(&ended, Ending::Logout, at(1)).await.unwrap();
    assert_eq!(recorded, Ok(()));
    let after_crash = tempfile::tempdir().unwrap();
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), after_crash.path().join(file.file_name())).unwrap();
    }
    let again = start(after_crash.path(), None).await;
    assert!(again.resolve(&kept, None, at(1)).is_ok());
    assert_eq!(again.resolve(&ended, None, at(1)), Err(Reason::SessionEnded));
}

#[tokio::test]
async fn whoever_comes_too_late_is_told_why_also_after_a_restart() {
    let memory = Memory::default();
    let now = clock::now();
    let sessions = begin(&memory, LIMITS, 0);
    let opened = sessions.open_one(admission("john", now), Origin::default(), now).await;
    let key = opened.unwrap().record.key;
    let _recorded = sessions.end(&key, Ending::Admin, now).await.unwrap();
    drop(sessions);
    let again = begin(&memory, LIMITS, 0);
    assert_eq!(again.ended(&key, now), Some(Ended { why: Ending::Admin, at: now }));
}

#[tokio::test]
async fn no_two_sessions_have_one_secret() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = start(directory.path(), None).await;
    let secret = SessionSecret::from_bits(&[1; 32]);
    let origin = || Origin { secret: Some(secret.clone()), ..Origin::default() };
    let wanted = |login| (login, admission(login, at(0)), origin());
    let opened = sessions.open(vec![wanted("john"), wanted("mary")], at(0)).await;
    assert_eq!(opened[0].1.as_ref().unwrap().secret, secret);
    assert!(opened[1].1.is_err(), "not even in one go");
    let again = || sessions.open_one(admission("mary", at(0)), origin(), at(0));
    assert_eq!(again().await.unwrap_err(), NotOpened::SecretTaken);
    assert_eq!(sessions.resolve(&secret.key(), None, at(1)).unwrap().user.login(), "john");
    sessions.end(&secret.key(), Ending::Logout, at(1)).await.unwrap().1.unwrap();
    assert_eq!(again().await.unwrap_err(), NotOpened::SecretTaken, "nor later");
}

#[tokio::test]
async fn on_a_full_disk_nobody_new_comes_in_and_nobody_is_thrown_out() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = start(directory.path(), Some(16)).await;
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
        let (_, recorded) = sessions.end(&secret.key(), Ending::Logout, at(1)).await.unwrap();
        assert_eq!(recorded, Ok(()));
    }
    let new = open_one(&sessions, "john").await.unwrap();
    assert!(lives(&new));
    assert!(!johns.iter().all(lives), "the oldest of his made room");
}

#[tokio::test]
async fn a_thousand_sign_ons_at_once_are_all_recorded() {
    let directory = tempfile::tempdir().unwrap();
    let sessions = Arc::new(start(directory.path(), None).await);
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
    assert_eq!(start(directory.path(), None).await.len(), 1000);
}

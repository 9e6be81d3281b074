use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;

use super::database::Owed;
use super::*;
use crate::clock;
use crate::core_server::store::suite::{Place, ended, session, suite};
use crate::wire::{Ended, Ending, Mechanism};

mod formats;

suite!(holds, tempfile::tempdir().unwrap());

impl Place for TempDir {
    fn open(&self) -> Box<dyn Store> {
        Box::new(start(self.path()))
    }

    fn open_small(&self) -> Box<dyn Store> {
        let database = Database::open(self.path()).unwrap();
        database.limit_pages(24);
        Box::new(Sqlite::start(database).unwrap())
    }
}

fn load(directory: &Path) -> Vec<Arc<Record>> {
    Database::open(directory).unwrap().load().unwrap().sessions
}

fn start(directory: &Path) -> Sqlite {
    Sqlite::start(Database::open(directory).unwrap()).unwrap()
}

fn rows(directory: &Path, table: &str) -> i64 {
    let connection = rusqlite::Connection::open(directory.join(FILE_NAME)).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

/// What a power cut leaves: the files as they are while the writer lives.
fn after_crash(directory: &Path) -> TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in fs::read_dir(directory).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
    }
    copy
}

#[tokio::test]
async fn what_was_answered_is_on_the_disk() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    let (kept, over) = (Arc::new(session("a", "john")), Arc::new(session("b", "john")));
    store.open(vec![Arc::clone(&kept), Arc::clone(&over)]).await.unwrap();
    let opened = after_crash(directory.path());
    assert_eq!(load(opened.path()), [Arc::clone(&kept), Arc::clone(&over)]);
    store.end(vec![ended(&over)]).await.unwrap();
    let crashed = after_crash(directory.path());
    assert_eq!(load(crashed.path()), [kept]);
}

#[tokio::test]
async fn a_user_goes_with_the_last_session() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    let first = Arc::new(session("a", "john"));
    let second = Arc::new(Record { user: Arc::clone(&first.user), ..session("b", "john") });
    let other = Arc::new(session("c", "mary"));
    store.open(vec![Arc::clone(&first), other]).await.unwrap();
    store.open(vec![Arc::clone(&second)]).await.unwrap();
    drop(store);
    let count = || (rows(directory.path(), "sessions"), rows(directory.path(), "users"));
    assert_eq!(count(), (3, 2));
    for (over, left) in [(first, (2, 2)), (second, (1, 1))] {
        let store = start(directory.path());
        store.end(vec![ended(&over)]).await.unwrap();
        drop(store);
        assert_eq!(count(), left);
    }
    assert_eq!(rows(directory.path(), "ends"), 2);
}

/// The user's row is deleted in one transaction with the last session, and another
/// session of the same content comes.
#[tokio::test]
async fn a_user_who_went_is_written_again() {
    let directory = tempfile::tempdir().unwrap();
    let first = Arc::new(session("a", "john"));
    let second = Arc::new(Record { user: Arc::clone(&first.user), ..session("b", "john") });
    let third = Arc::new(Record { user: Arc::clone(&first.user), ..session("c", "john") });
    let store = start(directory.path());
    store.open(vec![Arc::clone(&first)]).await.unwrap();
    drop(store.end(vec![ended(&first)]));
    store.open(vec![Arc::clone(&second)]).await.unwrap();
    store.end(vec![ended(&second)]).await.unwrap();
    store.open(vec![Arc::clone(&third)]).await.unwrap();
    drop(store);
    assert_eq!((rows(directory.path(), "sessions"), rows(directory.path(), "users")), (1, 1));
    assert_eq!(load(directory.path()), [third]);
}

#[test]
fn an_end_is_kept_for_five_minutes_or_until_the_session_would_have_ended() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = Database::open(directory.path()).unwrap();
    let now = clock::now();
    let at = |seconds| now.plus(Duration::from_secs(seconds));
    let end = |name, expires_at| End {
        key: SessionKey::sample(name),
        ended: Ended { why: Ending::Idle, at: now },
        expires_at,
    };
    let owed =
        Owed { ended: vec![end("long", at(36_000)), end("short", at(60))], ..Owed::default() };
    database.write(&[], &owed, now).unwrap();
    let mut kept = |seconds| {
        database.write(&[], &Owed::default(), at(seconds)).unwrap();
        let ends = database.load().unwrap().ends;
        ends.iter().map(|end| end.key).collect::<Vec<_>>()
    };
    assert_eq!(kept(59).len(), 2);
    assert_eq!(kept(60), [SessionKey::sample("long")]);
    assert_eq!(kept(299), [SessionKey::sample("long")]);
    assert_eq!(kept(300), []);
}

#[tokio::test]
async fn nobody_else_changes_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    let mut changes = store.changes();
    assert!(changes.recv().await.is_none());
}

#[test]
fn only_the_owner_can_read_the_store() {
    let parent = tempfile::tempdir().unwrap();
    let directory = parent.path().join("state");
    let _database = Database::open(&directory).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&directory), 0o700);
    for file in fs::read_dir(&directory).unwrap() {
        let path = file.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[test]
fn a_store_in_use_is_not_opened_twice() {
    let directory = tempfile::tempdir().unwrap();
    let _database = Database::open(directory.path()).unwrap();
    assert!(matches!(Database::open(directory.path()), Err(OpenError::InUse { .. })));
}

#[test]
fn a_damaged_store_is_told_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(FILE_NAME);
    let garbage = b"this is no database, and longer than a header would be: ".repeat(40);
    fs::write(&file, &garbage).unwrap();
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("Move it aside"), "{error}");
    assert_eq!(fs::read(&file).unwrap(), garbage);
}

#[test]
fn a_damaged_page_is_found_when_the_store_opens() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = Database::open(directory.path()).unwrap();
    let records: Vec<_> =
        (0..200).map(|number| Arc::new(session(&number.to_string(), "john"))).collect();
    database.write(&records, &Owed::default(), clock::now()).unwrap();
    drop(database);
    let file = directory.path().join(FILE_NAME);
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..last + 64].fill(0xff);
    fs::write(&file, &bytes).unwrap();
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn a_row_of_nonsense_is_damage() {
    for (damage, told) in [
        ("UPDATE sessions SET body = 'nonsense'", "session 0: expected"),
        ("UPDATE users SET body = '{\"v\":1}'", "user 0: missing field `login`"),
        ("UPDATE sessions SET user = 7", "a session without a user"),
        ("UPDATE sessions SET key = x'00'", "sessions.sqlite is damaged"),
        ("UPDATE sessions SET last_used = -1", "sessions.sqlite is damaged"),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let mut database = Database::open(directory.path()).unwrap();
        let session = Arc::new(session("a", "john"));
        database.write(&[session], &Owed::default(), clock::now()).unwrap();
        database.execute(damage);
        drop(database);
        let error = Database::open(directory.path()).unwrap_err();
        assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
        assert!(error.to_string().contains(told), "{error}");
    }
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let blocked = parent.path().join("file");
    fs::write(&blocked, "").unwrap();
    let error = Database::open(&blocked.join("state")).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
}

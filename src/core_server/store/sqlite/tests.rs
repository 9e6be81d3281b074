use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::*;
use crate::clock::Timestamp;
use crate::core_server::store::*;
use crate::wire::{AdminLevel, LoginId, Mechanism, SessionKey, User};

/// A session of a user in three groups.
pub(crate) fn record(serial: u64, login: &str) -> Record {
    let group = |number: u64| format!("S-1-5-21-1-2-3-{number}");
    Record {
        serial,
        key: SessionKey::of(&format!("secret {serial}")),
        user_id: login.bytes().map(u64::from).sum(),
        user: Arc::new(User {
            login_id: LoginId::new(login, "example"),
            name: String::new(),
            email: String::new(),
            groups: (513..516).map(group).collect(),
            admin: AdminLevel::None,
        }),
        mechanism: Mechanism::Negotiate,
        principal: format!("{login}@EXAMPLE.TEST"),
        typed: None,
        public_key: None,
        channel_bound: true,
        opened_at: Timestamp::from_unix(1_000),
        expires_at: Timestamp::from_unix(37_000),
        only_from: Some("2001:db8::7".parse().unwrap()),
        opened_by: "uid 33".into(),
        impersonator: Some("root".to_owned()),
        client: Some("192.0.2.7".parse().unwrap()),
        usage: Usage { last_used: Timestamp::from_unix(1_000), claimed: false },
    }
}

fn load(directory: &Path) -> Vec<Record> {
    Database::open(directory).unwrap().load().unwrap()
}

fn start(directory: &Path) -> Store {
    Store::start(Database::open(directory).unwrap()).unwrap()
}

fn rows(directory: &Path, table: &str) -> i64 {
    let connection = rusqlite::Connection::open(directory.join("sessions.sqlite")).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn what_is_written_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let mut other = record(8, "mary");
    other.mechanism = Mechanism::Unix;
    other.only_from = None;
    other.impersonator = None;
    other.client = None;
    other.channel_bound = false;
    other.public_key = Some("AB:CD".to_owned());
    let written = [record(7, "john"), other];
    let store = start(directory.path());
    store.open(written.iter().cloned().map(Arc::new).collect()).await.unwrap();
    drop(store);
    assert_eq!(load(directory.path()), written);
}

#[tokio::test]
async fn every_mechanism_is_read_again() {
    let directory = tempfile::tempdir().unwrap();
    let session = |(serial, mechanism): (u64, &Mechanism)| Record {
        mechanism: *mechanism,
        ..record(serial, "john")
    };
    let written: Vec<_> = (1..).zip(Mechanism::ALL).map(session).collect();
    let store = start(directory.path());
    store.open(written.iter().cloned().map(Arc::new).collect()).await.unwrap();
    drop(store);
    assert_eq!(load(directory.path()), written);
}

#[tokio::test]
async fn a_session_is_on_the_disk_before_it_is_answered() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    store.open(vec![Arc::new(record(1, "john"))]).await.unwrap();
    // What a power cut leaves: the files as they are while the writer lives.
    let after_crash = tempfile::tempdir().unwrap();
    for file in fs::read_dir(directory.path()).unwrap() {
        let file = file.unwrap();
        fs::copy(file.path(), after_crash.path().join(file.file_name())).unwrap();
    }
    assert_eq!(load(after_crash.path()), [record(1, "john")]);
}

#[tokio::test]
async fn an_ended_session_does_not_come_back_and_its_user_goes_with_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    let john = record(1, "john");
    let id = john.user_id;
    store.open(vec![Arc::new(john), Arc::new(record(2, "mary"))]).await.unwrap();
    let changes = Changes { ended: vec![1], forgotten: vec![id], ..Changes::default() };
    store.change(changes).await.unwrap();
    drop(store);
    assert_eq!((rows(directory.path(), "sessions"), rows(directory.path(), "users")), (1, 1));
    assert_eq!(load(directory.path()), [record(2, "mary")]);
}

#[tokio::test]
async fn sessions_of_one_user_share_one_row() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    for serial in 0..10 {
        store.open(vec![Arc::new(record(serial, "john"))]).await.unwrap();
    }
    drop(store);
    assert_eq!((rows(directory.path(), "sessions"), rows(directory.path(), "users")), (10, 1));
    let loaded = load(directory.path());
    assert!(loaded.iter().all(|record| Arc::ptr_eq(&record.user, &loaded[0].user)));
}

#[tokio::test]
async fn a_use_is_written_when_the_store_closes_at_the_latest() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    store.open(vec![Arc::new(record(1, "john"))]).await.unwrap();
    let usage = Usage { last_used: Timestamp::from_unix(1_200), claimed: true };
    store.change_soon(Changes { used: HashMap::from([(1, usage)]), ..Changes::default() });
    drop(store);
    assert_eq!(load(directory.path())[0].usage, usage);
}

#[tokio::test]
async fn a_full_disk_takes_ends_and_goes_on_when_there_is_room() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open(directory.path()).unwrap();
    database.limit_pages(16);
    let store = Store::start(database).unwrap();
    let mut serial = 0;
    let full = loop {
        let outcome = store.open(vec![Arc::new(record(serial, "john"))]).await;
        if let Err(error) = outcome {
            break error;
        }
        serial += 1;
    };
    assert_eq!(full, WriteError::Full);
    assert!(serial > 200, "{serial} sessions fit in 64 KB");
    let changes = Changes { ended: (0..200).collect(), ..Changes::default() };
    store.change(changes).await.unwrap();
    store.open(vec![Arc::new(record(serial, "john"))]).await.unwrap();
    drop(store);
    let serials: Vec<u64> = load(directory.path()).iter().map(|record| record.serial).collect();
    assert_eq!(serials, (200..=serial).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_batch_is_opened_as_a_whole_or_not_at_all() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    store.open(vec![Arc::new(record(1, "john"))]).await.unwrap();
    // Serials are unique, so the second of these cannot be written.
    let batch = vec![Arc::new(record(2, "mary")), Arc::new(record(1, "mary"))];
    assert_eq!(store.open(batch).await, Err(WriteError::Failed));
    // The user that was rolled back is written with the next session.
    store.open(vec![Arc::new(record(3, "mary"))]).await.unwrap();
    drop(store);
    assert_eq!(load(directory.path()), [record(1, "john"), record(3, "mary")]);
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
    let file = directory.path().join("sessions.sqlite");
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
    let records: Vec<_> = (0..200).map(|serial| Arc::new(record(serial, "john"))).collect();
    database.write(&records, &Changes::default()).unwrap();
    drop(database);
    let file = directory.path().join("sessions.sqlite");
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 4096;
    bytes[last..last + 64].fill(0xff);
    fs::write(&file, &bytes).unwrap();
    let error =
        Database::open(directory.path()).and_then(|mut database| database.load()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn a_row_of_nonsense_is_damage() {
    let directory = tempfile::tempdir().unwrap();
    let mut database = Database::open(directory.path()).unwrap();
    database.write(&[Arc::new(record(1, "john"))], &Changes::default()).unwrap();
    database.execute("UPDATE sessions SET mechanism = 'telepathy'");
    let error = database.load().unwrap_err();
    assert!(error.to_string().contains("telepathy"), "{error}");
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
}

#[test]
fn the_store_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    Database::open(directory.path()).unwrap().execute("PRAGMA user_version = 9");
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 9, known: 2, .. }), "{error:?}");
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let parent = tempfile::tempdir().unwrap();
    let blocked = parent.path().join("file");
    fs::write(&blocked, "").unwrap();
    let error = Database::open(&blocked.join("state")).unwrap_err();
    assert!(matches!(error, OpenError::File { .. }), "{error:?}");
}

#[test]
fn sessions_of_the_first_format_are_taken_over() {
    let directory = tempfile::tempdir().unwrap();
    let record = record(1, "john");
    Database::open(directory.path())
        .unwrap()
        .write(&[Arc::new(record.clone())], &Changes::default())
        .unwrap();
    let older = "ALTER TABLE sessions DROP COLUMN opened_by;
        ALTER TABLE sessions DROP COLUMN impersonator;
        ALTER TABLE sessions DROP COLUMN client;
        ALTER TABLE sessions DROP COLUMN public_key;
        PRAGMA user_version = 1;";
    Database::open(directory.path()).unwrap().execute(older);
    let unknown = Record { opened_by: "".into(), impersonator: None, client: None, ..record };
    for _ in 0..2 {
        assert_eq!(load(directory.path()), std::slice::from_ref(&unknown));
    }
}

//! Files of other versions.

use super::*;
use crate::wire::SessionSecret;

/// A store with the file that an older version left.
fn left_by(older: &[&str]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let file = rusqlite::Connection::open(directory.path().join(FILE_NAME)).unwrap();
    older.iter().for_each(|sql| file.execute_batch(sql).unwrap());
    directory
}

/// Login, principal, client, who opened it, who acts as the user, whether it was claimed.
fn told(record: &Arc<Record>) -> String {
    let Record { user, principal, client, opened_by, impersonator, usage, .. } = &**record;
    let client = client.map(|address| address.to_string());
    let who = (user.login(), &**principal, client.as_deref().unwrap_or("-"));
    format!("{who:?} {opened_by:?} {impersonator:?} {}", usage.claimed)
}

#[test]
fn sessions_of_the_release_before_are_taken_over() {
    let directory = left_by(&[FORMAT_2]);
    let stored = load(directory.path());
    assert_eq!(
        stored.iter().map(told).collect::<Vec<_>>(),
        [
            r#"("john", "john", "192.0.2.7") "uid 0" None true"#,
            r#"("mary", "mary@EXAMPLE.TEST", "-") "uid 0" None false"#,
            r#"("bob", "root", "-") "uid 0" Some("root") false"#,
        ]
    );
    let secret = "j9HDQ38F2cBK_oxKJ7kGi0zrRtbwV-qrbkNcnBUoKnM";
    assert_eq!(stored[0].key, SessionSecret::read(secret).unwrap().key());
    assert_eq!(stored[0].usage.last_used, stored[0].opened_at.plus(Duration::from_secs(1)));
    let mary = &stored[1];
    assert_eq!(mary.mechanism, Mechanism::Negotiate);
    assert_eq!(mary.opened_at.until(mary.expires_at), Duration::from_secs(36_000));
    assert_eq!((mary.channel_bound, stored[0].channel_bound), (true, false));
    assert_eq!(mary.user.groups, ["S-1-5-21-1-2-3-513", "S-1-5-32-544"]);
    assert_eq!(load(directory.path()), stored, "once");
}

#[tokio::test]
async fn what_was_taken_over_ends_like_other_sessions() {
    let directory = left_by(&[FORMAT_2]);
    let old = load(directory.path());
    let store = start(directory.path());
    let end = End { expires_at: clock::now().plus(Duration::from_secs(9)), ..ended(&old[0]) };
    store.end(vec![end]).await.unwrap();
    let outcomes = store.open(vec![Arc::clone(&old[0]), Arc::clone(&old[1])]).await;
    assert_eq!(outcomes, Ok(vec![Outcome::Taken; 2]));
    drop(store);
    assert_eq!(load(directory.path()), old[1..]);
    assert_eq!((rows(directory.path(), "sessions"), rows(directory.path(), "users")), (2, 2));
}

#[test]
fn sessions_of_the_first_format_are_taken_over() {
    let directory = left_by(&[FORMAT_2, TO_1]);
    for _ in 0..2 {
        let stored = load(directory.path());
        let john = r#"("john", "john", "-") "" None true"#;
        assert_eq!((stored.len(), told(&stored[0]).as_str()), (3, john));
    }
}

#[test]
fn an_upgrade_that_fails_leaves_the_file_as_it_was() {
    let damage = "UPDATE sessions SET user = 7 WHERE serial = 1;
        UPDATE users SET body = 'no JSON' WHERE id = 2;";
    let directory = left_by(&[FORMAT_2, damage]);
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Damaged { .. }), "{error:?}");
    assert_eq!(version(directory.path()), 2);
}

#[test]
fn the_store_of_a_newer_version_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    Database::open(directory.path()).unwrap().execute("PRAGMA user_version = 9");
    let error = Database::open(directory.path()).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 9, known: 3, .. }), "{error:?}");
}

/// A version that knows more mechanisms, or other rows, wrote into the same file.
#[tokio::test]
async fn rows_of_a_newer_version_are_skipped_and_kept_for_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = start(directory.path());
    let sessions = ["a", "b", "c", "d"].map(|name| Arc::new(session(name, name)));
    store.open(sessions.to_vec()).await.unwrap();
    drop(store);
    let change = |sql| {
        let file = rusqlite::Connection::open(directory.path().join(FILE_NAME)).unwrap();
        file.execute_batch(sql).unwrap();
    };
    change(
        r#"UPDATE sessions SET body = json_set(body, '$.mechanism', 'telepathy') WHERE place = 0;
        UPDATE sessions SET body = '{"v":2,"principals":[]}' WHERE place = 1;
        UPDATE users SET body = '{"v":2,"person":7}' WHERE place = 2;
        INSERT INTO ends VALUES (99999999999, zeroblob(32), 'boredom', 1, 99999999999);"#,
    );
    let store = start(directory.path());
    let stored = store.load().await.unwrap();
    assert_eq!((stored.sessions.len(), stored.skipped, stored.ends.len()), (1, 3, 0));
    assert_eq!(store.open(sessions.to_vec()).await, Ok(vec![Outcome::Taken; 4]));
    drop(store);
    assert_eq!((rows(directory.path(), "sessions"), rows(directory.path(), "users")), (4, 4));
    assert_eq!(rows(directory.path(), "ends"), 1);
    change("UPDATE sessions SET body = json_set(body, '$.mechanism', 'ntlm') WHERE place = 0;");
    assert_eq!(load(directory.path())[0].key, sessions[0].key);
}

fn version(directory: &Path) -> i64 {
    let connection = rusqlite::Connection::open(directory.join(FILE_NAME)).unwrap();
    connection.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
}

const FORMAT_2: &str = include_str!("format_2.sql");
const TO_1: &str = "ALTER TABLE sessions DROP COLUMN opened_by;
    ALTER TABLE sessions DROP COLUMN impersonator;
    ALTER TABLE sessions DROP COLUMN client;
    ALTER TABLE sessions DROP COLUMN public_key;
    PRAGMA user_version = 1;";

//! The embedded database: one file, written ahead and synced at every commit.

use std::collections::{HashMap, HashSet};
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::rows::{SELECT_SESSIONS, apply, insert_session, insert_user, number, read};
use crate::core_server::store::{Changes, OpenError, Record};
use crate::wire::User;

/// An open session store, held by this process alone.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Connection,
    stored_users: HashSet<u64>,
}

impl Database {
    /// Opens the store in `directory`; both are made when they do not exist,
    /// for the owner only.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(FILE_NAME);
        make_private(directory, &path)?;
        let wrong = |error| diagnose(&path, error);
        let mut connection = Connection::open(&path).map_err(wrong)?;
        connection.busy_timeout(PREDECESSOR).map_err(wrong)?;
        connection.execute_batch(SETTINGS).map_err(wrong)?;
        let format: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(wrong)?;
        match format {
            0 => lay_out(&mut connection, TABLES).map_err(wrong)?,
            1 => lay_out(&mut connection, FROM_1).map_err(wrong)?,
            FORMAT => {}
            found => return Err(OpenError::Newer { path, found, known: FORMAT }),
        }
        let found: String =
            connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).map_err(wrong)?;
        if found != "ok" {
            return Err(OpenError::Damaged { path, what: found });
        }
        Ok(Self { path, connection, stored_users: HashSet::new() })
    }

    /// The database file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// All sessions, the oldest first, and forgets users without any.
    ///
    /// # Errors
    /// [`OpenError::Damaged`]: a row does not hold what was written.
    pub(crate) fn load(&mut self) -> Result<Vec<Record>, OpenError> {
        self.connection
            .execute("DELETE FROM users WHERE id NOT IN (SELECT user FROM sessions)", [])
            .map_err(|error| diagnose(&self.path, error))?;
        let (records, users) = records(&self.connection, &self.path)?;
        self.stored_users = users;
        Ok(records)
    }

    /// Writes new sessions and changes in one transaction: all of it is on the
    /// disk when this returns, or nothing.
    ///
    /// # Errors
    /// What SQLite says; a full disk is [`ErrorCode::DiskFull`].
    pub(crate) fn write(
        &mut self,
        opened: &[Arc<Record>],
        changes: &Changes,
    ) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        let mut new_users = HashSet::new();
        for record in opened {
            if !self.stored_users.contains(&record.user_id) && new_users.insert(record.user_id) {
                insert_user(&transaction, record.user_id, &record.user)?;
            }
            insert_session(&transaction, record)?;
        }
        apply(&transaction, changes)?;
        transaction.commit()?;
        self.stored_users.extend(new_users);
        for id in &changes.forgotten {
            self.stored_users.remove(id);
        }
        Ok(())
    }

    /// Lets the file grow no further, as a full disk would.
    #[cfg(test)]
    pub(crate) fn limit_pages(&self, pages: i64) {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        self.connection.query_row(&pragma, [], |_| Ok(())).unwrap(); // a test asks
    }

    #[cfg(test)]
    pub(super) fn execute(&self, sql: &str) {
        self.connection.execute_batch(sql).unwrap(); // a test asks
    }
}

/// All sessions, the oldest first, and the ids of users.
pub(super) fn records(
    connection: &Connection,
    path: &Path,
) -> Result<(Vec<Record>, HashSet<u64>), OpenError> {
    let wrong = |error| diagnose(path, error);
    let damaged = |what| OpenError::Damaged { path: path.to_owned(), what };
    let mut users = HashMap::new();
    let mut select = connection.prepare("SELECT id, body FROM users").map_err(wrong)?;
    let mut rows = select.query([]).map_err(wrong)?;
    while let Some(row) = rows.next().map_err(wrong)? {
        let id = number(row, 0).map_err(wrong)?;
        let body = row.get_ref(1).and_then(|body| Ok(body.as_str()?)).map_err(wrong)?;
        let user: User =
            serde_json::from_str(body).map_err(|error| damaged(format!("user {id}: {error}")))?;
        users.insert(id, Arc::new(user));
    }
    let mut records = Vec::new();
    let mut select = connection.prepare(SELECT_SESSIONS).map_err(wrong)?;
    let mut rows = select.query([]).map_err(wrong)?;
    while let Some(row) = rows.next().map_err(wrong)? {
        let user = users.get(&number(row, 2).map_err(wrong)?);
        let user = user.ok_or_else(|| damaged("a session without a user".into()))?;
        records.push(read(row, Arc::clone(user)).map_err(wrong)?);
    }
    Ok((records, users.into_keys().collect()))
}

fn make_private(directory: &Path, file: &Path) -> Result<(), OpenError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(directory)
        .map_err(|source| OpenError::File { path: directory.to_owned(), source })?;
    // SQLite gives its -wal file the mode of the database.
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(file)
        .and_then(|opened| opened.set_permissions(Permissions::from_mode(0o600)))
        .map_err(|source| OpenError::File { path: file.to_owned(), source })
}

/// Makes the tables, or those of an older format into today's.
fn lay_out(connection: &mut Connection, sql: &str) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(sql)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

pub(super) fn diagnose(path: &Path, error: rusqlite::Error) -> OpenError {
    let path = path.to_owned();
    match (&error, error.sqlite_error_code()) {
        (_, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) => OpenError::InUse { path },
        (_, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
        | (
            rusqlite::Error::FromSqlConversionFailure(..)
            | rusqlite::Error::InvalidColumnType(..)
            | rusqlite::Error::IntegralValueOutOfRange(..),
            _,
        ) => OpenError::Damaged { path, what: error.to_string() },
        _ => OpenError::Sqlite { path, source: error },
    }
}

/// The database, in the folder of the store.
pub(crate) const FILE_NAME: &str = "sessions.sqlite";
pub(super) const FORMAT: i64 = 2;
/// A core that is being replaced has this long to let go of the file.
const PREDECESSOR: Duration = Duration::from_secs(2);
/// Exclusive: two cores on one file would not hear of each other's sessions.
const SETTINGS: &str = "PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
BEGIN IMMEDIATE;
COMMIT;";
const TABLES: &str = "CREATE TABLE users (
    id INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE sessions (
    serial INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    user INTEGER NOT NULL,
    mechanism TEXT NOT NULL,
    principal TEXT NOT NULL,
    channel_bound INTEGER NOT NULL,
    opened_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    only_from TEXT,
    last_used INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    opened_by TEXT NOT NULL,
    impersonator TEXT,
    client TEXT,
    public_key TEXT
) STRICT;";
/// Format 1 did not know where sessions came from, nor by which key.
const FROM_1: &str = "ALTER TABLE sessions ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN impersonator TEXT;
ALTER TABLE sessions ADD COLUMN client TEXT;
ALTER TABLE sessions ADD COLUMN public_key TEXT;";

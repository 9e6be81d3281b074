//! The embedded database: one file, written ahead and synced at every commit.

use std::collections::HashSet;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::net::IpAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, Row, Transaction, params};

use super::{Changes, OpenError, Record, Usage};
use crate::clock::Timestamp;
use crate::wire::{Mechanism, SessionKey, User};

/// An open session store, held by this process alone.
#[derive(Debug)]
pub struct Database {
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
    pub fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(FILE_NAME);
        make_private(directory, &path)?;
        let wrong = |error| diagnose(&path, error);
        let mut connection = Connection::open(&path).map_err(wrong)?;
        connection.busy_timeout(PREDECESSOR).map_err(wrong)?;
        connection.execute_batch(SETTINGS).map_err(wrong)?;
        let format: i64 =
            connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(wrong)?;
        match format {
            0 => make_tables(&mut connection).map_err(wrong)?,
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
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All sessions, the oldest first, and forgets users without any.
    ///
    /// # Errors
    /// [`OpenError::Damaged`]: a row does not hold what was written.
    pub fn load(&mut self) -> Result<Vec<Record>, OpenError> {
        let wrong = |error| diagnose(&self.path, error);
        self.connection
            .execute("DELETE FROM users WHERE id NOT IN (SELECT user FROM sessions)", [])
            .map_err(wrong)?;
        let mut users = std::collections::HashMap::new();
        let mut select = self.connection.prepare("SELECT id, body FROM users").map_err(wrong)?;
        let mut rows = select.query([]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let id = number(row, 0).map_err(wrong)?;
            let body = row.get_ref(1).and_then(|body| Ok(body.as_str()?)).map_err(wrong)?;
            let user: User = serde_json::from_str(body).map_err(|error| OpenError::Damaged {
                path: self.path.clone(),
                what: format!("user {id}: {error}"),
            })?;
            users.insert(id, Arc::new(user));
        }
        let mut records = Vec::new();
        let mut select = self.connection.prepare(SELECT_SESSIONS).map_err(wrong)?;
        let mut rows = select.query([]).map_err(wrong)?;
        while let Some(row) = rows.next().map_err(wrong)? {
            let user = users.get(&number(row, 2).map_err(wrong)?).ok_or_else(|| {
                OpenError::Damaged { path: self.path.clone(), what: "a session of nobody".into() }
            })?;
            records.push(read(row, Arc::clone(user)).map_err(wrong)?);
        }
        self.stored_users = users.into_keys().collect();
        Ok(records)
    }

    /// Writes new sessions and changes in one transaction: all of it is on the
    /// disk when this returns, or nothing.
    ///
    /// # Errors
    /// What SQLite says; a full disk is [`ErrorCode::DiskFull`].
    pub fn write(&mut self, opened: &[Arc<Record>], changes: &Changes) -> rusqlite::Result<()> {
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
    pub(crate) fn limit_pages(&self, pages: i64) -> i64 {
        let pragma = format!("PRAGMA max_page_count = {pages}");
        self.connection.query_row(&pragma, [], |row| row.get(0)).unwrap()
    }
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

fn make_tables(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = connection.transaction()?;
    transaction.execute_batch(TABLES)?;
    transaction.pragma_update(None, "user_version", FORMAT)?;
    transaction.commit()
}

fn insert_user(transaction: &Transaction<'_>, id: u64, user: &User) -> rusqlite::Result<()> {
    let body = serde_json::to_string(user)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    transaction
        .prepare_cached("INSERT INTO users (id, body) VALUES (?1, ?2)")?
        .execute(params![integer(id), body])?;
    Ok(())
}

fn insert_session(transaction: &Transaction<'_>, record: &Record) -> rusqlite::Result<()> {
    transaction.prepare_cached(INSERT_SESSION)?.execute(params![
        integer(record.serial),
        record.key.as_bytes(),
        integer(record.user_id),
        record.mechanism.as_str(),
        record.principal,
        record.channel_bound,
        integer(record.opened_at.unix()),
        integer(record.expires_at.unix()),
        record.only_from.map(|address| address.to_string()),
        integer(record.usage.last_used.unix()),
        record.usage.claimed,
    ])?;
    Ok(())
}

fn apply(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    let mut update = transaction
        .prepare_cached("UPDATE sessions SET last_used = ?2, claimed = ?3 WHERE serial = ?1")?;
    for (&serial, usage) in &changes.used {
        let last_used = integer(usage.last_used.unix());
        update.execute(params![integer(serial), last_used, usage.claimed])?;
    }
    let mut delete = transaction.prepare_cached("DELETE FROM sessions WHERE serial = ?1")?;
    for &serial in &changes.ended {
        delete.execute([integer(serial)])?;
    }
    let mut forget = transaction.prepare_cached("DELETE FROM users WHERE id = ?1")?;
    for &id in &changes.forgotten {
        forget.execute([integer(id)])?;
    }
    Ok(())
}

fn read(row: &Row<'_>, user: Arc<User>) -> rusqlite::Result<Record> {
    Ok(Record {
        serial: number(row, 0)?,
        key: SessionKey::from_bytes(row.get(1)?),
        user_id: number(row, 2)?,
        user,
        mechanism: parse(row, 3, |word| {
            [Mechanism::Negotiate, Mechanism::Trusted, Mechanism::Unix]
                .into_iter()
                .find(|mechanism| mechanism.as_str() == word)
        })?,
        principal: row.get(4)?,
        channel_bound: row.get(5)?,
        opened_at: Timestamp::from_unix(number(row, 6)?),
        expires_at: Timestamp::from_unix(number(row, 7)?),
        only_from: match row.get_ref(8)? {
            rusqlite::types::ValueRef::Null => None,
            _ => Some(parse(row, 8, |text| text.parse::<IpAddr>().ok())?),
        },
        usage: Usage { last_used: Timestamp::from_unix(number(row, 9)?), claimed: row.get(10)? },
    })
}

fn parse<T>(row: &Row<'_>, column: usize, read: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    read(text).ok_or_else(|| {
        let what = format!("{text:?} is not understood");
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, what.into())
    })
}

fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// SQLite has no unsigned integers; ours (counters, seconds) never come near the border.
fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

fn diagnose(path: &Path, error: rusqlite::Error) -> OpenError {
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

const FILE_NAME: &str = "sessions.sqlite";
const FORMAT: i64 = 1;
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
    claimed INTEGER NOT NULL
) STRICT;";
const INSERT_SESSION: &str = "INSERT INTO sessions (serial, key, user, mechanism, principal,
    channel_bound, opened_at, expires_at, only_from, last_used, claimed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const SELECT_SESSIONS: &str = "SELECT serial, key, user, mechanism, principal, channel_bound,
    opened_at, expires_at, only_from, last_used, claimed FROM sessions ORDER BY serial";

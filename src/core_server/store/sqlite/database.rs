//! The file: written ahead, and synced at every commit.

use std::collections::HashMap;
use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode};

use super::index::{Draft, Index};
use super::{reading, schema, writing};
use crate::clock::{self, Timestamp};
use crate::core_server::store::{End, OpenError, Outcome, Record, Stored, Usage};
use crate::wire::SessionKey;

/// An open session store, held by this process alone.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    connection: Connection,
    index: Index,
    /// What was read when it was opened, until it is asked for.
    fresh: Option<Stored>,
}

/// What is to be written besides new sessions. Unlike those it is never given
/// up: what cannot be written now is tried again until it can.
#[derive(Clone, Debug, Default)]
pub(super) struct Owed {
    pub(super) used: HashMap<SessionKey, Usage>,
    pub(super) ended: Vec<End>,
}

impl Owed {
    pub(super) fn is_empty(&self) -> bool {
        self.used.is_empty() && self.ended.is_empty()
    }

    pub(super) fn append(&mut self, later: Self) {
        self.touch(later.used);
        self.ended.extend(later.ended);
    }

    pub(super) fn touch(&mut self, uses: HashMap<SessionKey, Usage>) {
        for (key, usage) in uses {
            let known = self.used.entry(key).or_insert(usage);
            *known = known.and(usage);
        }
    }
}

impl Database {
    /// Opens the store in `directory`, and reads it. Both are made when they do not
    /// exist, for the owner only.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) fn open(directory: &Path) -> Result<Self, OpenError> {
        let path = directory.join(FILE_NAME);
        make_private(directory, &path)?;
        let mut connection = hold(&path)?;
        let found = format(&connection, &path)?;
        sound(&connection, &path)?;
        // An older file is changed only where all of it can be read afterwards.
        let wrong = |error| diagnose(&path, error);
        let transaction = connection.transaction().map_err(wrong)?;
        schema::bring_up(&transaction, found).map_err(|error| odd(&path, error))?;
        let (stored, index) = read(&transaction, &path)?;
        transaction.commit().map_err(wrong)?;
        Ok(Self { path, connection, index, fresh: Some(stored) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// All that is stored.
    ///
    /// # Errors
    /// [`OpenError::Damaged`]: a row does not hold what was written.
    pub(super) fn load(&mut self) -> Result<Stored, OpenError> {
        if let Some(stored) = self.fresh.take() {
            return Ok(stored);
        }
        let (stored, index) = read(&self.connection, &self.path)?;
        self.index = index;
        Ok(stored)
    }

    /// Writes new sessions and what is owed in one transaction: all of it is on the
    /// disk when this returns, or nothing. Tells what became of each session.
    ///
    /// # Errors
    /// What SQLite says; a full disk is [`ErrorCode::DiskFull`].
    pub(super) fn write(
        &mut self,
        opened: &[Arc<Record>],
        owed: &Owed,
        now: Timestamp,
    ) -> rusqlite::Result<Vec<Outcome>> {
        let transaction = self.connection.transaction()?;
        let mut draft = Draft::of(&self.index);
        // An end wins over a session of that key in the same transaction; and it makes room.
        writing::end(&transaction, &owed.ended, &mut draft, now)?;
        writing::touch(&transaction, &owed.used, &draft)?;
        let outcomes = writing::open(&transaction, opened, &mut draft)?;
        let over = writing::forget(&transaction, &draft, now)?;
        transaction.commit()?;
        let committed = draft.commit(over);
        self.index.apply(committed);
        self.fresh = None;
        Ok(outcomes)
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

/// Reads everything, and forgets users without any session, and ends that can be forgotten.
fn read(connection: &Connection, path: &Path) -> Result<(Stored, Index), OpenError> {
    writing::tidy(connection, clock::now()).map_err(|error| diagnose(path, error))?;
    let (stored, index) = reading::everything(connection, path)?;
    if stored.skipped > 0 {
        tracing::warn!(
            path = %path.display(), rows = stored.skipped,
            "a newer version stored some sessions: they are kept for it, but their users must sign \
             on again"
        );
    }
    Ok((stored, index))
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

fn hold(path: &Path) -> Result<Connection, OpenError> {
    let held = || {
        let connection = Connection::open(path)?;
        connection.busy_timeout(PREDECESSOR)?;
        connection.execute_batch(schema::SETTINGS)?;
        Ok(connection)
    };
    held().map_err(|error| diagnose(path, error))
}

/// The format of the tables; 0: there are none.
pub(super) fn format(connection: &Connection, path: &Path) -> Result<i64, OpenError> {
    let found: i64 = connection
        .query_row("PRAGMA user_version", [], |row| row.get(0))
        .map_err(|error| diagnose(path, error))?;
    if found > schema::FORMAT {
        return Err(OpenError::Newer { path: path.to_owned(), found, known: schema::FORMAT });
    }
    Ok(found)
}

/// Whether the pages of the file hold together.
pub(super) fn sound(connection: &Connection, path: &Path) -> Result<(), OpenError> {
    let found: String = connection
        .query_row("PRAGMA quick_check(1)", [], |row| row.get(0))
        .map_err(|error| diagnose(path, error))?;
    if found == "ok" { Ok(()) } else { Err(damaged(path, found)) }
}

pub(super) fn damaged(path: &Path, what: String) -> OpenError {
    OpenError::Damaged { path: path.to_owned(), what }
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

/// An older file does not hold what its version wrote, or it cannot be changed.
fn odd(path: &Path, error: rusqlite::Error) -> OpenError {
    match error.sqlite_error_code() {
        Some(ErrorCode::Unknown | ErrorCode::ConstraintViolation) => {
            damaged(path, error.to_string())
        }
        _ => diagnose(path, error),
    }
}

/// The database, in the folder of the store.
pub(crate) const FILE_NAME: &str = "sessions.sqlite";
/// A core that is being replaced has this long to let go of the file.
const PREDECESSOR: Duration = Duration::from_secs(2);

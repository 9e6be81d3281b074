//! Inspects a store from outside: who uses it, and whether it is intact. It writes nothing, takes
//! no lock, and makes no file.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::Duration;
use std::{env, ffi::OsString};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rustix::process::{Flock, FlockType, fcntl_getlk};

use super::database::{diagnose, format, sound};
use super::{reading, schema};
use crate::core_server::store::OpenError;

/// How a store is that nobody holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// A start would take it, with so many sessions.
    Sound {
        /// How many it holds.
        sessions: usize,
    },
    /// It is larger than could be looked through in the time.
    Unfinished,
}

/// The process that holds the database: the core that runs, or a program that looks
/// into it. `None`: nobody; `Some(None)`: somebody whom this process may not see.
///
/// # Errors
/// The file cannot be opened.
pub(crate) fn holder(database: &Path) -> io::Result<Option<Option<i32>>> {
    let lock = fcntl_getlk(File::open(database)?, &Flock::from(FlockType::WriteLock))?;
    let pid = |lock: Flock| lock.pid.map(|pid| pid.as_raw_nonzero().get());
    Ok(lock.map(pid))
}

/// Looks through a database that nobody holds, for as long as `limit`.
///
/// # Errors
/// What would keep the core from starting with it.
pub(crate) fn inspect(database: &Path, limit: Duration) -> Result<Condition, OpenError> {
    // After a crash the latest transactions stand in the -wal file alone, which SQLite
    // can read only where it may write: so it reads a copy.
    let copied = if has_content(&beside(database, "-wal")) {
        Some(
            Copied::of(database)
                .map_err(|source| OpenError::File { path: database.to_owned(), source })?,
        )
    } else {
        None
    };
    let looked = match &copied {
        Some(copy) => Connection::open(copy.database()),
        None => open_immutable(database),
    };
    let connection = looked.map_err(|error| diagnose(database, error))?;
    within(limit, &connection, || judge(&connection, database)).unwrap_or(Ok(Condition::Unfinished))
}

/// Neither locks nor changes are looked for: nobody holds it.
fn open_immutable(database: &Path) -> rusqlite::Result<Connection> {
    let path = database.to_string_lossy();
    let uri = format!("file:{}?immutable=1", utf8_percent_encode(&path, &PATH));
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(uri, flags)
}

fn judge(connection: &Connection, path: &Path) -> Result<Condition, OpenError> {
    let found = format(connection, path)?;
    sound(connection, path)?;
    let sessions = match found {
        0 => 0,
        schema::FORMAT => {
            let (stored, _) = reading::everything(connection, path)?;
            stored.sessions.len() + stored.skipped
        }
        // The core changes an older format when it starts.
        _ => connection
            .query_row("SELECT count(*) FROM sessions", [], |row| row.get::<_, i64>(0))
            .map(|count| usize::try_from(count).unwrap_or_default())
            .map_err(|error| diagnose(path, error))?,
    };
    Ok(Condition::Sound { sessions })
}

/// `None`: the time was over first.
fn within<T>(
    limit: Duration,
    connection: &Connection,
    ask: impl FnOnce() -> Result<T, OpenError>,
) -> Option<Result<T, OpenError>> {
    let stop = connection.get_interrupt_handle();
    let (done, waiting) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            if waiting.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
                stop.interrupt();
            }
        });
        let found = ask();
        drop(done);
        match &found {
            Err(OpenError::Sqlite { source, .. })
                if source.sqlite_error_code() == Some(ErrorCode::OperationInterrupted) =>
            {
                None
            }
            _ => Some(found),
        }
    })
}

/// A copy of a database and its -wal file, in a folder of this process alone.
struct Copied(PathBuf);

impl Copied {
    fn of(database: &Path) -> io::Result<Self> {
        let folder = env::temp_dir().join(format!("doorward-check-{}", process::id()));
        DirBuilder::new().mode(0o700).create(&folder)?;
        let copied = Self(folder);
        fs::copy(database, copied.database())?;
        fs::copy(beside(database, "-wal"), beside(&copied.database(), "-wal"))?;
        Ok(copied)
    }

    fn database(&self) -> PathBuf {
        self.0.join("copy.sqlite")
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        // What cannot be removed is in a folder for temporary files.
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(database);
    name.push(ending);
    name.into()
}

fn has_content(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| found.len() > 0)
}

/// What means something in the name of a file that is written as a URI.
const PATH: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.');

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_server::store::{Database, FILE_NAME};

    const LIMIT: Duration = Duration::from_secs(20);

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().flatten();
        let mut names: Vec<_> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_sound_store_is_looked_through_and_nothing_is_made_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("a?b#c%20d");
        drop(Database::open(&odd).unwrap());
        let path = odd.join(FILE_NAME);
        let before = fs::read(&path).unwrap();
        assert_eq!(inspect(&path, LIMIT).unwrap(), Condition::Sound { sessions: 0 });
        assert_eq!(holder(&path).unwrap(), None);
        assert_eq!(names(&odd), [FILE_NAME]);
        assert_eq!(fs::read(&path).unwrap(), before);
    }

    #[test]
    fn what_a_crash_left_is_read_out_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let live = folder.path().join("live");
        // While it is open, its tables stand in the -wal file alone.
        let open = Database::open(&live).unwrap();
        let crashed = folder.path().join("crashed");
        fs::create_dir(&crashed).unwrap();
        for name in [FILE_NAME, "sessions.sqlite-wal"] {
            fs::copy(live.join(name), crashed.join(name)).unwrap();
        }
        drop(open);
        let path = crashed.join(FILE_NAME);
        assert_eq!(inspect(&path, LIMIT).unwrap(), Condition::Sound { sessions: 0 });
        assert_eq!(names(&crashed), [FILE_NAME, "sessions.sqlite-wal"]);
    }

    #[test]
    fn damage_is_told_as_the_start_would() {
        let folder = tempfile::tempdir().unwrap();
        drop(Database::open(folder.path()).unwrap());
        let path = folder.path().join(FILE_NAME);
        let sound = fs::read(&path).unwrap();
        let mut broken = sound.clone();
        broken[4096..4196].fill(0xff);
        for bytes in [b"this is no database, and long enough".repeat(20), broken] {
            fs::write(&path, bytes).unwrap();
            let said = inspect(&path, LIMIT).unwrap_err().to_string();
            assert!(said.contains("is damaged"), "{said}");
        }
        fs::write(&path, b"").unwrap();
        assert_eq!(inspect(&path, LIMIT).unwrap(), Condition::Sound { sessions: 0 });
    }
}

//! The one thread that writes: it commits everything that waits together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::Database;
use super::queue::{Caller, Queue, Waiting};
use crate::core_server::store::{Changes, Record, WriteError};

/// See the module.
pub(super) struct Writer {
    path: PathBuf,
    database: Database,
    queue: Arc<Queue>,
    owed: Changes,
    fault: Option<Fault>,
}

/// What was wrong with the last write, so that it is told once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Fault {
    error: WriteError,
    /// Whether new sessions were in it; changes may fit where those do not.
    opening: bool,
}

/// However the thread ends, nobody shall wait for it.
impl Drop for Writer {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        *waiting = Waiting { closed: true, ..Waiting::default() };
    }
}

impl Writer {
    pub(super) fn new(database: Database, queue: Arc<Queue>) -> Self {
        let path = database.path().to_owned();
        Self { path, database, queue, owed: Changes::default(), fault: None }
    }

    /// Writes until the queue is closed, and then what is left.
    pub(super) fn run(mut self) {
        loop {
            let Waiting { opened, openers, changes, changers, closed } = self.queue.take();
            self.owed.append(changes);
            let (opening, changing) = self.write(&opened);
            answer(openers, opening);
            answer(changers, changing);
            if closed {
                return;
            }
        }
    }

    /// What became of the new sessions, and of the changes.
    fn write(
        &mut self,
        opened: &[Arc<Record>],
    ) -> (Result<(), WriteError>, Result<(), WriteError>) {
        if opened.is_empty() && self.owed.is_empty() {
            return (Ok(()), Ok(()));
        }
        let together = self.commit(opened);
        if together.is_ok() || opened.is_empty() {
            return (together, together);
        }
        // Ends of sessions may fit where new sessions do not, and make room.
        (together, if self.owed.is_empty() { Ok(()) } else { self.commit(&[]) })
    }

    fn commit(&mut self, opened: &[Arc<Record>]) -> Result<(), WriteError> {
        let opening = !opened.is_empty();
        match self.database.write(opened, &self.owed) {
            Ok(()) => {
                self.owed = Changes::default();
                if self.fault.is_some_and(|fault| opening || !fault.opening) {
                    self.fault = None;
                    tracing::info!(path = %self.path.display(), "the session store can be written again");
                }
                Ok(())
            }
            Err(cause) => {
                let error = match cause.sqlite_error_code() {
                    Some(ErrorCode::DiskFull) => WriteError::Full,
                    _ => WriteError::Failed,
                };
                let known = self.fault;
                let opening = opening || known.is_some_and(|known| known.opening);
                self.fault = Some(Fault { error, opening });
                if known.is_none_or(|known| known.error != error) {
                    complain(&self.path, error, &cause);
                }
                Err(error)
            }
        }
    }
}

fn answer(callers: Vec<Caller>, outcome: Result<(), WriteError>) {
    for caller in callers {
        // Whoever no longer waits does not need to know.
        let _ = caller.send(outcome);
    }
}

fn complain(path: &Path, error: WriteError, cause: &rusqlite::Error) {
    let mend = match error {
        WriteError::Full => "free space on its file system",
        WriteError::Failed | WriteError::Busy => "check the disk and the owner of the file",
    };
    tracing::error!(
        path = %path.display(), %cause,
        "{error}: nobody new can sign on, and ended sessions could come back after a restart; {mend}. Doorward keeps trying"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_server::store::sqlite::tests::record;

    /// The disk refuses deletions; the rest goes.
    const BREAK: &str = "CREATE TEMP TRIGGER broken BEFORE DELETE ON main.sessions
        BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END";
    const MEND: &str = "DROP TRIGGER broken";

    #[test]
    fn an_end_that_cannot_be_recorded_is_tried_again_until_it_can() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(directory.path()).unwrap();
        let mut writer = Writer::new(database, Arc::default());
        let old = Arc::new(record(1, "john"));
        assert_eq!(writer.write(&[old]), (Ok(()), Ok(())));

        writer.database.execute(BREAK);
        writer.owed.append(Changes { ended: vec![1], ..Changes::default() });
        let new = Arc::new(record(2, "mary"));
        assert_eq!(
            writer.write(&[new]),
            (Err(WriteError::Failed), Err(WriteError::Failed)),
            "what is written together fails together"
        );
        assert_eq!(writer.write(&[]).1, Err(WriteError::Failed));

        writer.database.execute(MEND);
        assert_eq!(writer.write(&[]).1, Ok(()));
        drop(writer);
        assert_eq!(Database::open(directory.path()).unwrap().load().unwrap(), []);
    }
}

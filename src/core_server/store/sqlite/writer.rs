//! The one thread that writes: it commits everything that waits together.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rusqlite::ErrorCode;

use super::Database;
use super::database::Owed;
use super::queue::{Opener, Queue, Waiting};
use crate::clock;
use crate::core_server::store::{Outcome, Record, WriteError};

/// See the module.
pub(super) struct Writer {
    path: PathBuf,
    database: Database,
    queue: Arc<Queue>,
    owed: Owed,
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
        self.queue.abandon();
    }
}

/// What became of the new sessions, and of what was owed.
type Written = (Result<Vec<Outcome>, WriteError>, Result<(), WriteError>);

impl Writer {
    pub(super) fn new(database: Database, queue: Arc<Queue>) -> Self {
        let path = database.path().to_owned();
        Self { path, database, queue, owed: Owed::default(), fault: None }
    }

    /// Writes until the queue is closed, and then what is left.
    pub(super) fn run(mut self) {
        loop {
            let Waiting { loaders, opened, openers, owed, enders, closed } = self.queue.take();
            self.owed.append(owed);
            let (opening, ending) = self.write(&opened);
            answer(openers, opening);
            for ender in enders {
                // Whoever no longer waits does not need to know.
                let _ = ender.send(ending);
            }
            for loader in loaders {
                let _ = loader.send(self.database.load());
            }
            if closed {
                return;
            }
        }
    }

    fn write(&mut self, opened: &[Arc<Record>]) -> Written {
        if opened.is_empty() && self.owed.is_empty() {
            return (Ok(Vec::new()), Ok(()));
        }
        let together = self.commit(opened);
        let ending = match &together {
            Ok(_) => Ok(()),
            // Ends of sessions may fit where new sessions do not, and make room.
            Err(_) if !opened.is_empty() && !self.owed.is_empty() => self.commit(&[]).map(drop),
            Err(_) if self.owed.is_empty() => Ok(()),
            Err(error) => Err(*error),
        };
        (together, ending)
    }

    fn commit(&mut self, opened: &[Arc<Record>]) -> Result<Vec<Outcome>, WriteError> {
        let opening = !opened.is_empty();
        match self.database.write(opened, &self.owed, clock::now()) {
            Ok(outcomes) => {
                self.owed = Owed::default();
                if self.fault.is_some_and(|fault| opening || !fault.opening) {
                    self.fault = None;
                    tracing::info!(path = %self.path.display(), "the session store can be written again");
                }
                Ok(outcomes)
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

/// Gives every caller what became of its own sessions.
fn answer(openers: Vec<Opener>, outcome: Result<Vec<Outcome>, WriteError>) {
    let mut outcomes = outcome.map(Vec::into_iter);
    for Opener { sessions, answer } in openers {
        let own = match &mut outcomes {
            Ok(outcomes) => Ok(outcomes.take(sessions).collect()),
            Err(error) => Err(*error),
        };
        // Whoever no longer waits does not need to know.
        let _ = answer.send(own);
    }
}

fn complain(path: &Path, error: WriteError, cause: &rusqlite::Error) {
    let fix = match error {
        WriteError::Full => "free space on its file system",
        WriteError::Failed | WriteError::Busy => "check the disk and the owner of the file",
    };
    tracing::error!(
        path = %path.display(), %cause,
        "{error}: nobody new can sign on, and ended sessions could come back after a restart; {fix}. Doorward keeps trying"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core_server::store::suite::{ended, session};

    /// The disk refuses deletions; the rest goes.
    const BREAK: &str = "CREATE TEMP TRIGGER broken BEFORE DELETE ON main.sessions
        BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END";
    const REPAIR: &str = "DROP TRIGGER broken";

    #[test]
    fn an_end_that_cannot_be_recorded_is_tried_again_until_it_can() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(directory.path()).unwrap();
        let mut writer = Writer::new(database, Arc::default());
        let old = Arc::new(session("old", "john"));
        assert_eq!(writer.write(&[Arc::clone(&old)]), (Ok(vec![Outcome::Opened]), Ok(())));

        writer.database.execute(BREAK);
        writer.owed.ended.push(ended(&old));
        let new = Arc::new(session("new", "mary"));
        assert_eq!(
            writer.write(&[new]),
            (Err(WriteError::Failed), Err(WriteError::Failed)),
            "what is written together fails together"
        );
        assert_eq!(writer.write(&[]).1, Err(WriteError::Failed));

        writer.database.execute(REPAIR);
        assert_eq!(writer.write(&[]).1, Ok(()));
        drop(writer);
        assert_eq!(Database::open(directory.path()).unwrap().load().unwrap().sessions, []);
    }
}

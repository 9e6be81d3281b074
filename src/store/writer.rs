//! The one thread that writes: whatever waits together is committed together.

use std::mem;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rusqlite::ErrorCode;
use tokio::sync::oneshot;

use super::{Changes, Database, Record, WriteError};

/// The writing side of a store. Dropping it writes what is left, and waits for that.
#[derive(Debug)]
pub struct Store {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Starts the writer of `database`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub fn start(database: Database) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let writer = Writer {
            path: database.path().to_owned(),
            database,
            queue: Arc::clone(&queue),
            owed: Changes::default(),
            fault: None,
        };
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || writer.run())?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Records new sessions: they are on the disk when this returns.
    ///
    /// # Errors
    /// None of them is recorded.
    pub async fn open(&self, records: Vec<Arc<Record>>) -> Result<(), WriteError> {
        let recorded = {
            let mut waiting = self.queue.lock();
            if waiting.opened.len() + records.len() > MAX_WAITING && !waiting.opened.is_empty() {
                return Err(WriteError::Busy);
            }
            let recorded = waiting.call(|waiting| &mut waiting.openers)?;
            waiting.opened.extend(records);
            recorded
        };
        self.queue.wake.notify_one();
        recorded.await.unwrap_or(Err(WriteError::Failed))
    }

    /// Queues changes, in the order of the calls; what is returned waits until
    /// they are on the disk.
    ///
    /// # Errors
    /// They are not recorded yet, and will be as soon as that is possible.
    pub fn change(
        &self,
        changes: Changes,
    ) -> impl Future<Output = Result<(), WriteError>> + Send + use<> {
        let mut waiting = self.queue.lock();
        let recorded = waiting.call(|waiting| &mut waiting.changers);
        if recorded.is_ok() {
            waiting.changes.append(changes);
        }
        drop(waiting);
        self.queue.wake.notify_one();
        async { recorded?.await.unwrap_or(Err(WriteError::Failed)) }
    }

    /// Queues changes, in the order of the calls; they are recorded within a second or so.
    pub fn change_soon(&self, changes: Changes) {
        let mut waiting = self.queue.lock();
        if !waiting.closed {
            waiting.changes.append(changes);
        }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.wake.notify_one();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the session store panicked");
        }
    }
}

type Caller = oneshot::Sender<Result<(), WriteError>>;

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    opened: Vec<Arc<Record>>,
    openers: Vec<Caller>,
    changes: Changes,
    changers: Vec<Caller>,
    closed: bool,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that waits, as soon as somebody waits for it; lazy changes
    /// at the latest after [`LAZY`].
    fn take(&self) -> Waiting {
        let idle = |waiting: &mut Waiting| {
            waiting.openers.is_empty() && waiting.changers.is_empty() && !waiting.closed
        };
        let (mut waiting, _) = self
            .wake
            .wait_timeout_while(self.lock(), LAZY, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let closed = waiting.closed;
        let taken = mem::take(&mut *waiting);
        waiting.closed = closed;
        taken
    }
}

impl Waiting {
    /// A place in the queue of callers, unless the writer has gone.
    fn call(
        &mut self,
        queue: fn(&mut Self) -> &mut Vec<Caller>,
    ) -> Result<oneshot::Receiver<Result<(), WriteError>>, WriteError> {
        if self.closed {
            return Err(WriteError::Failed);
        }
        let (caller, recorded) = oneshot::channel();
        queue(self).push(caller);
        Ok(recorded)
    }
}

struct Writer {
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
    fn run(mut self) {
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
        WriteError::Full => "make room on its file system",
        WriteError::Failed | WriteError::Busy => "look at the disk and at the file's owner",
    };
    tracing::error!(
        path = %path.display(), %cause,
        "{error}: nobody new is signed on, and ended sessions could come back after a restart; {mend}, and it goes on by itself"
    );
}

/// Lazy changes wait this long at most for company.
const LAZY: Duration = Duration::from_secs(1);
/// New sessions that may wait for the disk.
const MAX_WAITING: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::record;

    /// The disk refuses deletions; the rest goes.
    const BREAK: &str = "CREATE TEMP TRIGGER broken BEFORE DELETE ON main.sessions
        BEGIN SELECT RAISE(ABORT, 'the disk is broken'); END";
    const MEND: &str = "DROP TRIGGER broken";

    #[test]
    fn an_end_that_cannot_be_recorded_is_tried_again_until_it_can() {
        let directory = tempfile::tempdir().unwrap();
        let database = Database::open(directory.path()).unwrap();
        let mut writer = Writer {
            path: database.path().to_owned(),
            database,
            queue: Arc::default(),
            owed: Changes::default(),
            fault: None,
        };
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

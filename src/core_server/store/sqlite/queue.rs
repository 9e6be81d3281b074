//! The queue of sessions and changes to be written, and of the callers that wait for them.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Database;
use super::writer::Writer;
use crate::core_server::store::{Changes, Record, WriteError};

/// The writing side of a store. Dropping it writes what is left, and waits for that.
#[derive(Debug)]
pub(crate) struct Store {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Store {
    /// Starts the writer of `database`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(database: Database) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let writer = Writer::new(database, Arc::clone(&queue));
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || writer.run())?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Records new sessions: they are on the disk when this returns.
    ///
    /// # Errors
    /// None of them is recorded.
    pub(crate) async fn open(&self, records: Vec<Arc<Record>>) -> Result<(), WriteError> {
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
    pub(crate) fn change(
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
    pub(crate) fn change_soon(&self, changes: Changes) {
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

pub(super) type Caller = oneshot::Sender<Result<(), WriteError>>;

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) opened: Vec<Arc<Record>>,
    pub(super) openers: Vec<Caller>,
    pub(super) changes: Changes,
    pub(super) changers: Vec<Caller>,
    pub(super) closed: bool,
}

impl Queue {
    pub(super) fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Everything that waits, as soon as somebody waits for it; lazy changes
    /// at the latest after [`LAZY`].
    pub(super) fn take(&self) -> Waiting {
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

/// Lazy changes wait this long at most for company.
const LAZY: Duration = Duration::from_secs(1);
/// New sessions that may wait for the disk.
const MAX_WAITING: usize = 16_384;

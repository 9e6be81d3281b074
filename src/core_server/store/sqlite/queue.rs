//! What waits to be written, and who waits for that.

use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::database::Owed;
use crate::core_server::store::{OpenError, Outcome, Record, Stored, WriteError};

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    wake: Condvar,
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    pub(super) loaders: Vec<oneshot::Sender<Result<Stored, OpenError>>>,
    pub(super) opened: Vec<Arc<Record>>,
    pub(super) openers: Vec<Opener>,
    pub(super) owed: Owed,
    pub(super) enders: Vec<oneshot::Sender<Result<(), WriteError>>>,
    pub(super) closed: bool,
}

/// Who waits for the next so many of the new sessions.
#[derive(Debug)]
pub(super) struct Opener {
    pub(super) sessions: usize,
    pub(super) answer: oneshot::Sender<Result<Vec<Outcome>, WriteError>>,
}

impl Queue {
    pub(super) fn load(&self) -> Option<oneshot::Receiver<Result<Stored, OpenError>>> {
        self.call(|waiting| {
            let (answer, loaded) = oneshot::channel();
            waiting.loaders.push(answer);
            loaded
        })
    }

    pub(super) fn open(
        &self,
        records: Vec<Arc<Record>>,
    ) -> Result<oneshot::Receiver<Result<Vec<Outcome>, WriteError>>, WriteError> {
        let queued = self.call(|waiting| {
            if waiting.opened.len() + records.len() > MAX_WAITING && !waiting.opened.is_empty() {
                return Err(WriteError::Busy);
            }
            let (answer, recorded) = oneshot::channel();
            waiting.openers.push(Opener { sessions: records.len(), answer });
            waiting.opened.extend(records);
            Ok(recorded)
        });
        queued.unwrap_or(Err(WriteError::Failed))
    }

    /// What shall be written, with the next commit.
    pub(super) fn owe(&self, add: impl FnOnce(&mut Owed)) {
        let mut waiting = self.lock();
        if !waiting.closed {
            add(&mut waiting.owed);
        }
    }

    /// Hastens the next commit, and waits for it.
    pub(super) async fn recorded(&self) -> Result<(), WriteError> {
        let called = self.call(|waiting| {
            let (answer, recorded) = oneshot::channel();
            waiting.enders.push(answer);
            recorded
        });
        called.ok_or(WriteError::Failed)?.await.unwrap_or(Err(WriteError::Failed))
    }

    /// Writes what is left, and then no more.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.wake.notify_one();
    }

    /// Nobody writes any more: whoever waits is told so.
    pub(super) fn abandon(&self) {
        *self.lock() = Waiting { closed: true, ..Waiting::default() };
    }

    /// Everything that waits, as soon as somebody waits for it; what is only owed
    /// at the latest after [`LAZY`].
    pub(super) fn take(&self) -> Waiting {
        let idle = |waiting: &mut Waiting| {
            let nobody = waiting.openers.is_empty() && waiting.enders.is_empty();
            nobody && waiting.loaders.is_empty() && !waiting.closed
        };
        let (mut waiting, _) = self
            .wake
            .wait_timeout_while(self.lock(), LAZY, idle)
            .unwrap_or_else(PoisonError::into_inner);
        let closed = waiting.closed;
        let taken = mem::take(&mut *waiting);
        waiting.closed = closed;
        Waiting { closed, ..taken }
    }

    /// Wakes the writer; `None`: it has gone.
    fn call<T>(&self, queue: impl FnOnce(&mut Waiting) -> T) -> Option<T> {
        let mut waiting = self.lock();
        if waiting.closed {
            return None;
        }
        let queued = queue(&mut waiting);
        drop(waiting);
        self.wake.notify_one();
        Some(queued)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What nobody waits for is written after this time at most.
const LAZY: Duration = Duration::from_secs(1);
/// New sessions that may wait for the disk.
const MAX_WAITING: usize = 16_384;

//! The embedded database: one file, one thread that writes, one core.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use tokio::sync::mpsc;

use super::{Answer, Change, End, OpenError, Outcome, Record, Store, Stored, Usage, WriteError};
use crate::wire::SessionKey;
use queue::Queue;
use writer::Writer;

mod database;
mod index;
pub(crate) mod inspect;
mod queue;
mod reading;
mod schema;
#[cfg(test)]
mod tests;
mod writer;
mod writing;

pub(crate) use database::{Database, FILE_NAME};

/// The store of one core. Dropping it writes what is left, and waits for that.
#[derive(Debug)]
pub(crate) struct Sqlite {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Sqlite {
    /// Starts the writer of `database`.
    ///
    /// # Errors
    /// The system has no thread left.
    pub(crate) fn start(database: Database) -> io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let writer = Writer::new(database, Arc::clone(&queue));
        let thread = thread::Builder::new().name("store".to_owned()).spawn(move || writer.run())?;
        Ok(Self { queue, thread: Some(thread) })
    }
}

impl Store for Sqlite {
    fn load(&self) -> Answer<Result<Stored, OpenError>> {
        let called = self.queue.load();
        Box::pin(async { called.ok_or(OpenError::Thread)?.await.unwrap_or(Err(OpenError::Thread)) })
    }

    fn open(&self, records: Vec<Arc<Record>>) -> Answer<Result<Vec<Outcome>, WriteError>> {
        let queued = self.queue.open(records);
        Box::pin(async { queued?.await.unwrap_or(Err(WriteError::Failed)) })
    }

    fn end(&self, ends: Vec<End>) -> Answer<Result<(), WriteError>> {
        self.queue.owe(|owed| owed.ended.extend(ends));
        let queue = Arc::clone(&self.queue);
        Box::pin(async move { queue.recorded().await })
    }

    fn touch(&self, uses: HashMap<SessionKey, Usage>) {
        self.queue.owe(|owed| owed.touch(uses));
    }

    /// The file is held by this process alone.
    fn changes(&self) -> mpsc::Receiver<Change> {
        mpsc::channel(1).1
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the session store panicked");
        }
    }
}

//! Where sessions outlive this process. The core answers from memory
//! (`core_server::sessions`); a store records what happens there, is read once at the
//! start, and tells what other cores did in it.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::clock::Timestamp;
use crate::wire::{Ended, SessionKey};

mod error;
#[cfg(test)]
pub(in crate::core_server) mod memory;
mod record;
mod row;
pub(crate) mod sqlite;
#[cfg(test)]
pub(in crate::core_server) mod suite;

pub(crate) use error::{OpenError, WriteError};
pub(crate) use record::{Record, Usage};
pub(crate) use sqlite::{Database, FILE_NAME, Sqlite};

/// A place for sessions. `suite.rs` holds every implementation to the rules here.
///
/// Facts are merged without order: opened, then used (the latest use counts), then
/// ended. An end wins over whatever else is said of its key, earlier or later.
pub(crate) trait Store: fmt::Debug + Send + Sync {
    /// Everything that is stored. Asked at the start, before anything else.
    ///
    /// # Errors
    /// The store cannot be read. Nothing in it was changed.
    fn load(&self) -> Answer<Result<Stored, OpenError>>;

    /// Records new sessions; an outcome for each, in order. They are safe when this
    /// answers. They are queued at the call, and must be waited for to the end.
    ///
    /// # Errors
    /// None of them is recorded.
    fn open(&self, records: Vec<Arc<Record>>) -> Answer<Result<Vec<Outcome>, WriteError>>;

    /// Records ends, in the order of the calls. They are queued at the call; who awaits
    /// the answer hastens them, and otherwise they are recorded within a second or so.
    ///
    /// # Errors
    /// They are not recorded yet, and will be as soon as that is possible.
    fn end(&self, ends: Vec<End>) -> Answer<Result<(), WriteError>>;

    /// Records uses within a second or so. A use of a session that ended, or never
    /// was, is nothing.
    fn touch(&self, uses: HashMap<SessionKey, Usage>);

    /// What other cores do in the store from now on, for the one listener. A change may
    /// be told late and more than once. A store that no other core uses tells nothing.
    fn changes(&self) -> mpsc::Receiver<Change>;
}

/// What a store answers when it has done its work.
pub(crate) type Answer<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What a store holds.
#[derive(Debug, Default)]
pub(crate) struct Stored {
    /// Sessions, those that were stored first before the others.
    pub sessions: Vec<Arc<Record>>,
    /// Ends that are not forgotten yet.
    pub ends: Vec<End>,
    /// Rows that were left as they are: a newer version wrote them.
    pub skipped: usize,
}

/// What became of a session that was to be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is recorded.
    Opened,
    /// It is not: its key belongs to another session, or to one that ended.
    Taken,
}

/// The end of a session. It outlives the session, so that nothing that was on its way
/// can bring the session back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    /// Whose end.
    pub key: SessionKey,
    /// Why and when.
    pub ended: Ended,
    /// When the session would have ended at the latest. From then on its record says
    /// itself that it is over, and this need not be kept.
    pub expires_at: Timestamp,
}

/// Something that another core did.
#[derive(Clone, Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "the one store so far has no other cores"))]
pub(crate) enum Change {
    /// It opened a session.
    Opened(Arc<Record>),
    /// It ended one.
    Ended(End),
    /// It saw one in use.
    Used(SessionKey, Usage),
}

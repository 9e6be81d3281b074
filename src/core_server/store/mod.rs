//! Where sessions survive a restart. The core keeps all of them in memory
//! (`core_server::sessions`); the store only has to write, and to be read once.

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::wire::{Mechanism, SessionKey, User};

pub(crate) mod sqlite;

pub(crate) use sqlite::{Database, FILE_NAME, Store};

/// A session as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// Counts up with every session. Rows are appended and found by it: a new
    /// session touches the last page of the file instead of a random one.
    pub serial: u64,
    /// SHA-256 of the secret.
    pub key: SessionKey,
    /// Names `user` in the store, where sessions with the same user share one row.
    pub user_id: u64,
    /// Whose session it is.
    pub user: Arc<User>,
    /// How its owner was proven.
    pub mechanism: Mechanism,
    /// The principal as proven.
    pub principal: String,
    /// By password: the name as it was typed. It is not stored.
    pub typed: Option<String>,
    /// SHA-256 of the SubjectPublicKeyInfo that it was opened with, by certificate.
    pub public_key: Option<String>,
    /// Whether the proof was bound to a TLS channel.
    pub channel_bound: bool,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The only address it may be used from.
    pub only_from: Option<IpAddr>,
    /// The peer that opened it, in the words of the audit log: `uid 33`. Empty
    /// where an older version opened it.
    pub opened_by: Arc<str>,
    /// The administrator who acts as its owner.
    pub impersonator: Option<String>,
    /// The client's address, as that peer told it.
    pub client: Option<IpAddr>,
    /// How far it has been used.
    pub usage: Usage,
}

/// How far a session has been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// When it was last used; at first, when it began.
    pub last_used: Timestamp,
    /// Whether its secret ever came back.
    pub claimed: bool,
}

/// What is to be written besides new sessions. Unlike those it is never given
/// up: what cannot be written now is tried again until it can.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    /// The latest use of sessions, by serial.
    pub used: HashMap<u64, Usage>,
    /// Serials of sessions that ended.
    pub ended: Vec<u64>,
    /// Ids of users whose last session ended.
    pub forgotten: Vec<u64>,
}

impl Changes {
    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.used.is_empty() && self.ended.is_empty() && self.forgotten.is_empty()
    }

    /// Adds what came later.
    pub(crate) fn append(&mut self, later: Self) {
        self.used.extend(later.used);
        self.ended.extend(later.ended);
        self.forgotten.extend(later.forgotten);
    }
}

/// Why something is not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum WriteError {
    /// The disk is full.
    #[error("the disk under the session store is full")]
    Full,
    /// The disk or the file failed; the log has the story.
    #[error("the session store cannot be written")]
    Failed,
    /// More wait to be written than the queue holds.
    #[error("too many sessions wait to be written")]
    Busy,
}

/// Why the store cannot be opened. Nothing was deleted or overwritten.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The directory or the file cannot be made or read.
    #[error("cannot use {} for the session store: {source}. The account that the core runs as must own it (state_path)", path.display())]
    File {
        /// The directory or file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Another process has it open.
    #[error("another process uses the session store {}: is a core already running? Two cores need two state_paths", path.display())]
    InUse {
        /// The database.
        path: PathBuf,
    },
    /// It is damaged, or no store of ours.
    #[error("the session store {} is damaged ({what}). Doorward has not changed it. Move it aside, with its -wal file, and start again; everybody must then sign on again", path.display())]
    Damaged {
        /// The database.
        path: PathBuf,
        /// What SQLite or we found.
        what: String,
    },
    /// A newer Doorward wrote it.
    #[error("the session store {} has format {found}, but this version knows only formats up to {known}: run the version that wrote it, or move the file aside; everybody must then sign on again", path.display())]
    Newer {
        /// The database.
        path: PathBuf,
        /// Its format.
        found: i64,
        /// The newest that is known here.
        known: i64,
    },
    /// SQLite failed for another reason.
    #[error("cannot open the session store {}: {source}", path.display())]
    Sqlite {
        /// The database.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
}

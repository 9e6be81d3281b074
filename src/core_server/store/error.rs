use std::io;
use std::path::PathBuf;

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
    /// The thread that writes ended before its time.
    #[error("the session store cannot be read: the thread that writes sessions has ended")]
    Thread,
}

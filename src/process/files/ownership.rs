//! Folders that Doorward writes to, made for the account while it still is root.
//!
//! Root changes nothing in a folder that somebody else may write to: its owner could put a link
//! there. So Doorward changes the owner only of folders that it makes, or that are root's and
//! still empty.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, lchown};
use std::path::{Path, PathBuf};

use super::access::{self, Obstacle, Unreadable};
use super::reader::Reader;
use super::rights::{self, Need};
use crate::process::account::Account;

/// What becomes of a folder before the rights are given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// There is none: it is made, and given to the account.
    Make,
    /// It is root's and holds nothing: it is given to the account.
    Give,
    /// It stays as it is.
    Leave,
}

/// A folder that the account cannot write to.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It could not be made or given away.
    #[error("{} cannot be made for {account} ({source}); make it: {mend}", path.display())]
    Make {
        path: PathBuf,
        /// Whose it was to be.
        account: String,
        /// What the system said.
        source: io::Error,
        /// The command that makes it.
        mend: String,
    },
    #[error(
        "{} is not writable for {account}, who must own it; run: {mend}", path.display()
    )]
    Foreign {
        path: PathBuf,
        account: String,
        /// The command that gives it to them.
        mend: String,
    },
    /// It, or a folder above it, is closed to the account, and need not belong to it.
    #[error(transparent)]
    Closed(Unreadable),
}

/// What is to be done about a folder; `ours` is a name in it that does not count.
pub(crate) fn plan(path: &Path, ours: Option<&Path>) -> Plan {
    let Ok(found) = fs::symlink_metadata(path) else { return Plan::Make };
    let roots_alone = found.is_dir() && found.uid() == 0 && found.mode() & OTHERS_MAY_WRITE == 0;
    let empty = || {
        let mut entries = fs::read_dir(path).ok()?.flatten();
        Some(entries.all(|entry| Some(entry.path().as_path()) == ours))
    };
    if roots_alone && empty() == Some(true) { Plan::Give } else { Plan::Leave }
}

/// Carries out [`plan`]: a folder that is made has `mode`, those above it 0755 and
/// root's.
///
/// # Errors
/// [`FolderError::Make`].
pub(crate) fn prepare(
    path: &Path,
    mode: u32,
    ours: Option<&Path>,
    account: &Account,
) -> Result<(), FolderError> {
    let plan = plan(path, ours);
    let done = match plan {
        Plan::Leave => return Ok(()),
        Plan::Give => Ok(()),
        Plan::Make => make(path, mode),
    };
    done.and_then(|()| lchown(path, Some(account.uid.as_raw()), Some(account.gid.as_raw())))
        .map_err(|source| FolderError::Make {
            path: path.to_owned(),
            account: account.name.clone(),
            source,
            mend: rights::make(path, mode, &Reader::from(account)),
        })
}

/// Whether this process may make a file in a folder that others may use too: what is
/// in it stays theirs.
///
/// # Errors
/// [`FolderError::Closed`].
pub(crate) fn check_shared(path: &Path) -> Result<(), FolderError> {
    access::may(path, Need::Fill).map_err(FolderError::Closed)
}

/// Whether this process, which runs as `account` by now, may write to a folder of its own.
///
/// # Errors
/// [`FolderError::Foreign`].
pub(crate) fn check(path: &Path, account: &Account) -> Result<(), FolderError> {
    let Err(refused) = access::may(path, Need::Fill) else { return Ok(()) };
    match &refused.obstacle {
        Obstacle::Mode { found, .. } if found.path != path => Err(FolderError::Closed(refused)),
        _ => Err(FolderError::Foreign {
            path: path.to_owned(),
            account: account.name.clone(),
            mend: rights::own(path, &Reader::from(account)),
        }),
    }
}

fn make(path: &Path, mode: u32) -> io::Result<()> {
    if let Some(above) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(above)?;
    }
    DirBuilder::new().mode(mode).create(path)
}

const OTHERS_MAY_WRITE: u32 = 0o022;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn only_what_is_missing_or_roots_and_empty_is_given_away() {
        let place = tempfile::tempdir().unwrap();
        let folder = place.path().join("state");
        assert_eq!(plan(&folder, None), Plan::Make);
        fs::create_dir(&folder).unwrap();
        let given = if nix::unistd::geteuid().is_root() { Plan::Give } else { Plan::Leave };
        assert_eq!(plan(&folder, None), given);

        let socket = folder.join("core.sock");
        fs::write(&socket, "").unwrap();
        assert_eq!(plan(&folder, None), Plan::Leave);
        assert_eq!(plan(&folder, Some(&socket)), given);
        assert_eq!(plan(&socket, None), Plan::Leave, "a file is no folder");

        fs::set_permissions(&folder, PermissionsExt::from_mode(0o1777)).unwrap();
        assert_eq!(plan(&folder, Some(&socket)), Plan::Leave, "others may write to it");
    }
}

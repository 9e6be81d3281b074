//! Writes files of keys and certificates: whole or not at all, and readable only for their users.

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Readers {
    /// Its owner (mode 0600).
    Owner,
    /// Everybody (mode 0644).
    Everybody,
}

/// Puts `bytes` at `path` with mode 0600, whole or not at all: readers see the
/// old file or the new one, also after a crash.
///
/// # Errors
/// Whatever the file system says; nothing stands at `path` then that did not before.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    replace(path, bytes, |_| Ok(()))
}

/// Makes a file where there is none.
///
/// # Errors
/// [`io::ErrorKind::AlreadyExists`], and whatever else the file system says;
/// nothing stands at `path` then that did not before.
pub(crate) fn create(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let written = file
        .write_all(bytes)
        .and_then(|()| file.set_permissions(Permissions::from_mode(readers.mode())))
        .and_then(|()| file.sync_all());
    if written.is_err() {
        // What went wrong is worth more to the caller than what the tidying up met.
        let _ = fs::remove_file(path);
    }
    written?;
    sync_folder(path)
}

/// Puts `bytes` in the place of a file that exists, as [`write`] does. Its owner
/// and group stay, and what they may do, so that whoever reads it today reads it
/// tomorrow; rights that go beyond reading by the group, or by `readers`, do not.
///
/// # Errors
/// As [`write`]; also, the owner may not be kept by whoever runs this.
pub(crate) fn renew(path: &Path, bytes: &[u8], readers: Readers) -> io::Result<()> {
    // A link stays one: the file that it leads to is the one to be replaced.
    let path = fs::canonicalize(path)?;
    let old = fs::metadata(&path)?;
    let mode = old.mode() & (0o640 | readers.mode());
    replace(&path, bytes, |draft| {
        let new = draft.metadata()?;
        if (new.uid(), new.gid()) != (old.uid(), old.gid()) {
            fchown(draft, Some(old.uid()), Some(old.gid()))?;
        }
        draft.set_permissions(Permissions::from_mode(mode))
    })
}

/// Makes the folder of such keys with mode 0700, where there is none.
///
/// # Errors
/// Whatever the file system says.
pub(crate) fn folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// Whether others than the folder's owner can replace files in it.
///
/// # Errors
/// The folder cannot be looked at.
pub(crate) fn is_open_to_others(folder: &Path) -> io::Result<bool> {
    let mode = fs::metadata(folder)?.mode();
    let (writable, sticky) = (mode & 0o022 != 0, mode & 0o1000 != 0);
    Ok(writable && !sticky)
}

impl Readers {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Everybody => 0o644,
        }
    }
}

fn replace(
    path: &Path,
    bytes: &[u8],
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    let draft = draft_of(path)?;
    let written = write_draft(&draft, bytes, prepare).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        // What went wrong is worth more to the caller than what the tidying up met.
        let _ = fs::remove_file(&draft);
    }
    written?;
    sync_folder(path)
}

fn draft_of(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    Ok(path.with_file_name(name))
}

fn write_draft(
    draft: &Path,
    bytes: &[u8],
    prepare: impl FnOnce(&File) -> io::Result<()>,
) -> io::Result<()> {
    // A draft of a process that died under our number: never ours, never complete.
    match fs::remove_file(draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(draft)?;
    file.write_all(bytes)?;
    prepare(&file)?;
    file.sync_all()
}

/// A new name is on the disk when its folder is.
fn sync_folder(path: &Path) -> io::Result<()> {
    match path.parent() {
        None => Ok(()),
        Some(parent) if parent.as_os_str().is_empty() => File::open(".")?.sync_all(),
        Some(parent) => File::open(parent)?.sync_all(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().mode() & 0o7777
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_secret_is_readable_by_its_owner_only_and_replaces_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key.pem");
        fs::write(&path, "old").unwrap();
        write(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(mode(&path), 0o600);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no draft is left behind");
    }

    #[test]
    fn what_exists_is_not_created_again() {
        let folder = tempfile::tempdir().unwrap();
        let (key, public) = (folder.path().join("key.pem"), folder.path().join("public.pem"));
        create(&key, b"old", Readers::Owner).unwrap();
        create(&public, b"old", Readers::Everybody).unwrap();
        assert_eq!((mode(&key), mode(&public)), (0o600, 0o644));
        let error = create(&key, b"new", Readers::Owner).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&key).unwrap(), b"old");
    }

    #[test]
    fn a_renewed_file_stays_readable_for_its_group_and_for_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let (path, link) = (folder.path().join("key.pem"), folder.path().join("link.pem"));
        fs::write(&path, "old").unwrap();
        std::os::unix::fs::symlink("key.pem", &link).unwrap();
        for (before, readers, after) in [
            (0o600, Readers::Owner, 0o600),
            (0o640, Readers::Owner, 0o640),
            (0o666, Readers::Owner, 0o640),
            (0o644, Readers::Everybody, 0o644),
            (0o600, Readers::Everybody, 0o600),
        ] {
            set_mode(&path, before);
            renew(&link, b"new", readers).unwrap();
            assert_eq!(mode(&path), after, "{before:o}");
        }
        assert!(link.is_symlink());
        assert_eq!(fs::read(&path).unwrap(), b"new");
    }

    #[test]
    fn a_folder_is_open_to_others_when_they_may_replace_its_files() {
        let folder = tempfile::tempdir().unwrap();
        for (mode, open) in
            [(0o700, false), (0o755, false), (0o775, true), (0o757, true), (0o1777, false)]
        {
            set_mode(folder.path(), mode);
            assert_eq!(is_open_to_others(folder.path()).unwrap(), open, "{mode:o}");
        }
    }
}

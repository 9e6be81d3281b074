//! The realm of a keytab that knows only one, remembered while the file stays as it is: asking the
//! library which principal accepted costs a sixth of an accept, and is not needed if all keys are
//! of one realm.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

/// Remembers the one realm of the keytab at a path.
#[derive(Clone, Debug)]
pub(crate) struct SoleRealm {
    path: PathBuf,
    remembered: Option<(FileStamp, Option<String>)>,
}

/// Tells two states of a file apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl SoleRealm {
    /// For the keytab at `path`, which is not read yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, remembered: None }
    }

    /// The realm that all of its principals have; `None` when there are several
    /// realms, or the keytab cannot be read.
    pub(crate) fn get(&mut self) -> Option<&str> {
        let stamp = FileStamp::of(&std::fs::metadata(&self.path).ok()?);
        if self.remembered.as_ref().is_none_or(|(remembered, _)| *remembered != stamp) {
            let keytab = super::read(&self.path).ok()?;
            let realm = match keytab.realms().as_slice() {
                [realm] => Some((*realm).to_owned()),
                _ => None,
            };
            self.remembered = Some((stamp, realm));
        }
        self.remembered.as_ref().and_then(|(_, realm)| realm.as_deref())
    }
}

impl FileStamp {
    fn of(file: &Metadata) -> Self {
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified: (file.mtime(), file.mtime_nsec()),
            changed: (file.ctime(), file.ctime_nsec()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::krb5::keytab::tests::{entry, file};

    #[test]
    fn the_realm_follows_the_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.keytab");
        let of = |realms: &[&str]| {
            let entries: Vec<_> =
                realms.iter().map(|realm| entry(realm, &["HTTP", "web"], 1, 18)).collect();
            file(&entries)
        };
        let mut realm = SoleRealm::new(path.clone());
        assert_eq!(realm.get(), None, "there is no file yet");
        std::fs::write(&path, of(&["EXAMPLE", "EXAMPLE"])).unwrap();
        assert_eq!(realm.get(), Some("EXAMPLE"));
        assert_eq!(realm.get(), Some("EXAMPLE"));
        std::fs::write(&path, of(&["EXAMPLE", "OTHER"])).unwrap();
        assert_eq!(realm.get(), None, "two realms are none alone");
        std::fs::write(&path, of(&["OTHER"])).unwrap();
        assert_eq!(realm.get(), Some("OTHER"));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(realm.get(), None);
    }
}

//! Which file cannot be used by whom, and why.

use std::fmt;
use std::fs::{self, File};
use std::io;
use std::path::{Component, Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::reader::Reader;
use super::rights::{self, Found, Need};
use crate::process::account::{group_name, user_name};

/// A file or folder that this process has no right to use.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not {} for {reader}: {obstacle}", path.display(), adjective(*.need))]
pub struct Unreadable {
    pub path: PathBuf,
    /// What was to be done with it.
    pub need: Need,
    pub reader: Reader,
    /// What is in the way.
    pub obstacle: Obstacle,
}

/// What keeps a reader from a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Obstacle {
    /// The owner, group and mode of the file itself, or of the first folder on
    /// the way that may not be passed.
    Mode {
        /// The file or folder.
        found: Box<Found>,
        /// The command that lets the reader in.
        advice: String,
    },
    /// Owner and mode allow it: something else refuses.
    Other,
}

const fn adjective(need: Need) -> &'static str {
    match need {
        Need::Read | Need::List | Need::Pass => "readable",
        Need::Write | Need::Fill => "writable",
        Need::Run => "executable",
    }
}

/// Tries to open a file, or to list a folder. Only a lack of rights is told; what else is
/// wrong with it (it may not exist) is for whoever reads it.
///
/// # Errors
/// Who may not read it, and what is in the way.
pub(crate) fn check(path: &Path) -> Result<(), Unreadable> {
    let refused = |kind| kind == io::ErrorKind::PermissionDenied;
    match File::open(path) {
        Err(error) if refused(error.kind()) => Err(explain(path, Need::Read)),
        Ok(file) if file.metadata().is_ok_and(|found| found.is_dir()) => may(path, Need::List),
        _ => Ok(()),
    }
}

/// Whether this process has a right, as the kernel says. What does not exist is for
/// whoever uses it.
///
/// # Errors
/// Who may not, and what is in the way.
pub(crate) fn may(path: &Path, need: Need) -> Result<(), Unreadable> {
    match access(path, AccessFlags::from_bits_truncate(need.bits().cast_signed())) {
        Err(Errno::EACCES) => Err(explain(path, need)),
        _ => Ok(()),
    }
}

/// Why this process was refused a file or folder.
pub(crate) fn explain(path: &Path, need: Need) -> Unreadable {
    let reader = Reader::here();
    let obstacle = obstacle(path, &reader, need, MAX_LINKS);
    Unreadable { path: path.to_owned(), need, reader, obstacle }
}

fn obstacle(path: &Path, reader: &Reader, need: Need, links: u8) -> Obstacle {
    let mut reached = PathBuf::new();
    let mut rest = path.components();
    while let Some(component) = rest.next() {
        reached.push(component);
        if matches!(component, Component::RootDir | Component::CurDir) {
            reached = if reached.as_os_str().is_empty() { PathBuf::from(".") } else { reached };
        }
        let Ok(found) = fs::symlink_metadata(&reached) else { return Obstacle::Other };
        if found.is_symlink() {
            let target = fs::read_link(&reached).unwrap_or_default();
            let above = reached.parent().unwrap_or(Path::new("/"));
            let onward = above.join(target).join(rest.as_path());
            let further = |links| obstacle(&onward, reader, need, links);
            return links.checked_sub(1).map_or(Obstacle::Other, further);
        }
        let Some(found) = Found::at(&reached) else { return Obstacle::Other };
        let need = match need {
            _ if found.folder && !rest.as_path().as_os_str().is_empty() => Need::Pass,
            Need::Read if found.folder => Need::List,
            need => need,
        };
        if let Some(advice) = rights::grant(&found, reader, need) {
            return Obstacle::Mode { found: Box::new(found), advice };
        }
    }
    Obstacle::Other
}

/// `doorward (uid 990, groups doorward, winbindd_priv)`
impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Mode { found, advice } = self else {
            return f.write_str(
                "owner and mode allow it, so an access list or a security module forbids it; look \
                 at `getfacl`, and at the system's log for SELinux or AppArmor",
            );
        };
        let Found { path, folder, owner, group, mode } = &**found;
        let what = if *folder { format!("the folder {}", path.display()) } else { "it".to_owned() };
        let (owner, group) = (user_name(*owner), group_name(*group));
        write!(f, "{what} belongs to {owner}:{group} with mode {mode:04o}; run: {advice}")?;
        // A process has the groups that its account had when it began.
        if advice.starts_with("usermod") { f.write_str(", and restart Doorward") } else { Ok(()) }
    }
}

/// More links in a row than this are a mistake; the kernel itself stops at 40.
const MAX_LINKS: u8 = 16;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use nix::unistd::{Gid, Uid};

    use super::*;

    fn doorward() -> Reader {
        let (own, winbind) = (Gid::from_raw(3_999_990), Gid::from_raw(3_999_115));
        Reader { uid: Uid::from_raw(3_999_990), gid: own, groups: vec![own, winbind] }
    }

    #[test]
    fn the_first_class_that_fits_decides() {
        let reader = doorward();
        for (owner, group, mode, may) in [
            (0, 0, 0o600, false),
            (0, 0, 0o604, true),
            (0, 3_999_990, 0o640, true),
            (0, 3_999_115, 0o640, true),
            (3_999_990, 0, 0o400, true),
            // The owner's class decides for the owner, the group's for its members.
            (3_999_990, 0, 0o044, false),
            (0, 3_999_990, 0o604, false),
        ] {
            let found = reader.bits(Uid::from_raw(owner), Gid::from_raw(group), mode);
            assert_eq!(found & 4 != 0, may, "{owner}:{group} {mode:o}");
        }
        let root = Reader { uid: Uid::from_raw(0), ..reader };
        assert_eq!(root.bits(Uid::from_raw(5), Gid::from_raw(5), 0), 7);
    }

    #[test]
    fn the_first_folder_in_the_way_is_named_also_behind_a_link() {
        let place = tempfile::tempdir().unwrap();
        let mode = |path: &Path, mode| {
            fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
        };
        mode(place.path(), 0o755);
        let closed = place.path().join("closed");
        fs::create_dir(&closed).unwrap();
        let key = closed.join("key");
        fs::write(&key, "").unwrap();
        mode(&key, 0o600);
        let link = place.path().join("link");
        symlink("closed/key", &link).unwrap();
        for (folder, expected) in [(0o700, &closed), (0o711, &key)] {
            mode(&closed, folder);
            for path in [&key, &link] {
                let found = obstacle(path, &doorward(), Need::Read, MAX_LINKS);
                let Obstacle::Mode { found, .. } = found else {
                    panic!("nothing is in the way of {}", path.display())
                };
                assert_eq!(&found.path, expected);
            }
        }
        mode(&key, 0o644);
        assert_eq!(obstacle(&link, &doorward(), Need::Read, MAX_LINKS), Obstacle::Other);
    }

    #[test]
    fn a_folder_that_is_to_be_read_must_be_listed_and_not_only_passed() {
        let place = tempfile::tempdir().unwrap();
        for (mode, right) in [(0o700, "g+rx"), (0o710, "g=rx"), (0o711, "g=rx")] {
            fs::set_permissions(place.path(), PermissionsExt::from_mode(mode)).unwrap();
            let found = obstacle(place.path(), &doorward(), Need::Read, MAX_LINKS);
            let Obstacle::Mode { advice, .. } = found else { panic!("{mode:o}: it is not listed") };
            assert!(advice.contains(right), "{mode:o}: {advice}");
        }
    }

    #[test]
    fn the_sentence_names_file_reader_and_owner_and_ends_with_the_command() {
        let reader = doorward();
        let path = PathBuf::from("/etc/web.keytab");
        let (owner, group) = (Uid::from_raw(0), Gid::from_raw(0));
        let found = Found { path: path.clone(), folder: false, owner, group, mode: 0o600 };
        let advice = rights::grant(&found, &reader, Need::Read).unwrap();
        let obstacle = Obstacle::Mode { found: Box::new(found), advice };
        let said = Unreadable { path, need: Need::Read, reader, obstacle }.to_string();
        assert_eq!(
            said,
            "/etc/web.keytab is not readable for 3999990 (uid 3999990, groups 3999990, 3999115): \
             it belongs to root:root with mode 0600; \
             run: chgrp 3999990 /etc/web.keytab && chmod g+r /etc/web.keytab"
        );
    }
}

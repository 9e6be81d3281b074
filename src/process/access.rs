//! Which file is not readable for whom, and what is in the way.

use std::fmt;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};

use nix::unistd::{Gid, Uid, getegid, geteuid, getgroups};

use super::account::{group_name, user_name};

/// Who reads, by the ids that the kernel looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The effective uid.
    pub uid: Uid,
    /// The effective group.
    pub gid: Gid,
    /// The supplementary groups.
    pub groups: Vec<Gid>,
}

/// A file that this process may not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} is not readable for {reader}: {obstacle}", path.display())]
pub struct Unreadable {
    /// The file.
    pub path: PathBuf,
    /// Who tried.
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
        path: PathBuf,
        /// Whether it is a folder on the way.
        folder: bool,
        /// Its owner.
        owner: Uid,
        /// Its group.
        group: Gid,
        /// Its permissions.
        mode: u32,
        /// The group by which the mend lets the reader in.
        through: Gid,
    },
    /// Owner and mode allow it: something else refuses.
    Other,
}

impl Reader {
    /// This process.
    pub fn here() -> Self {
        Self { uid: geteuid(), gid: getegid(), groups: getgroups().unwrap_or_default() }
    }

    /// Whether owner and mode let it do what `bit` (4 read, 1 pass) stands for.
    /// The first class that fits decides, and root is in none (path_resolution(7)).
    fn may(&self, bit: u32, owner: Uid, group: Gid, mode: u32) -> bool {
        let shift = if self.uid == owner {
            6
        } else if self.gid == group || self.groups.contains(&group) {
            3
        } else {
            0
        };
        self.uid.is_root() || mode >> shift & bit != 0
    }
}

/// Tries to open a file. Only a lack of rights is told; what else is wrong with
/// it (it may not exist) is for whoever reads it.
///
/// # Errors
/// Who may not read it, and what is in the way.
pub fn check(path: &Path) -> Result<(), Unreadable> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(explain(path)),
        _ => Ok(()),
    }
}

/// Why this process was refused a file.
pub fn explain(path: &Path) -> Unreadable {
    let reader = Reader::here();
    let obstacle = obstacle(path, &reader, MAX_LINKS);
    Unreadable { path: path.to_owned(), reader, obstacle }
}

fn obstacle(path: &Path, reader: &Reader, links: u8) -> Obstacle {
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
            return if links == 0 { Obstacle::Other } else { obstacle(&onward, reader, links - 1) };
        }
        if let Some(obstacle) = in_the_way(&reached, &found, reader) {
            return obstacle;
        }
    }
    Obstacle::Other
}

fn in_the_way(path: &Path, found: &Metadata, reader: &Reader) -> Option<Obstacle> {
    let (owner, group) = (Uid::from_raw(found.uid()), Gid::from_raw(found.gid()));
    let (folder, mode) = (found.is_dir(), found.mode() & 0o7777);
    let bit = if folder { PASS } else { READ };
    let path = path.to_owned();
    let through = reader.gid;
    (!reader.may(bit, owner, group, mode)).then_some(Obstacle::Mode {
        path,
        folder,
        owner,
        group,
        mode,
        through,
    })
}

/// `doorward (uid 990, groups doorward, winbindd_priv)`
impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = vec![group_name(self.gid)];
        groups
            .extend(self.groups.iter().filter(|gid| **gid != self.gid).map(|gid| group_name(*gid)));
        let many = if groups.len() == 1 { "group" } else { "groups" };
        write!(f, "{} (uid {}, {many} {})", user_name(self.uid), self.uid, groups.join(", "))
    }
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Mode { path, folder, owner, group, mode, through } = self else {
            return f.write_str(
                "owner and mode would allow it, so an access list or a security module refuses; \
                 look at `getfacl`, and at the system's log for SELinux or AppArmor",
            );
        };
        let shown = path.display();
        let (what, right) =
            if *folder { (format!("the folder {shown}"), "g+x") } else { ("it".to_owned(), "g+r") };
        let (owner, group) = (user_name(*owner), group_name(*group));
        write!(f, "{what} belongs to {owner}:{group} with mode {mode:04o}; run: ")?;
        let wanted = group_name(*through);
        if wanted != group {
            write!(f, "chgrp {wanted} {shown} && ")?;
        }
        write!(f, "chmod {right} {shown}")
    }
}

const READ: u32 = 4;
const PASS: u32 = 1;
/// More links in a row than this are a mistake; the kernel itself stops at 40.
const MAX_LINKS: u8 = 16;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

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
            let found = reader.may(READ, Uid::from_raw(owner), Gid::from_raw(group), mode);
            assert_eq!(found, may, "{owner}:{group} {mode:o}");
        }
        let root = Reader { uid: Uid::from_raw(0), ..reader };
        assert!(root.may(READ, Uid::from_raw(5), Gid::from_raw(5), 0));
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
                let Obstacle::Mode { path: found, .. } = obstacle(path, &doorward(), MAX_LINKS)
                else {
                    panic!("nothing is in the way of {}", path.display())
                };
                assert_eq!(&found, expected);
            }
        }
        mode(&key, 0o644);
        assert_eq!(obstacle(&link, &doorward(), MAX_LINKS), Obstacle::Other);
    }

    #[test]
    fn the_sentence_names_file_reader_and_owner_and_ends_with_the_command() {
        let reader = doorward();
        let obstacle = Obstacle::Mode {
            path: "/etc/web.keytab".into(),
            folder: false,
            owner: Uid::from_raw(0),
            group: Gid::from_raw(0),
            mode: 0o600,
            through: reader.gid,
        };
        let said = Unreadable { path: "/etc/web.keytab".into(), reader, obstacle }.to_string();
        assert_eq!(
            said,
            "/etc/web.keytab is not readable for 3999990 (uid 3999990, groups 3999990, 3999115): \
             it belongs to root:root with mode 0600; \
             run: chgrp 3999990 /etc/web.keytab && chmod g+r /etc/web.keytab"
        );
    }
}

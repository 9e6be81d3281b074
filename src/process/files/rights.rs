//! The command that gives only one account the rights that it needs on a file or folder. The only
//! place that advises `chmod`, `chgrp`, `chown` and `usermod`, so that the advice works for every
//! owner, group and mode, and for each account.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid};

use super::reader::Reader;
use crate::process::account::{group_name, user_name};

/// What has to be done with a file or folder, as a class of its mode (chmod(1)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// To read a file.
    Read,
    /// To write to a file.
    Write,
    /// To run a program.
    Run,
    /// To go through a folder on the way to something in it.
    Pass,
    /// To find out what is in a folder, and to read it.
    List,
    /// To make and remove files in a folder.
    Fill,
}

/// A file or folder, as far as rights go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    pub path: PathBuf,
    /// Whether it is a folder.
    pub folder: bool,
    pub owner: Uid,
    pub group: Gid,
    pub mode: u32,
}

impl Need {
    /// The bits of one class: 4 read, 2 write, 1 run or pass.
    pub(crate) const fn bits(self) -> u32 {
        match self {
            Self::Read => 4,
            Self::Write => 2,
            Self::Run | Self::List => 5,
            Self::Pass => 1,
            Self::Fill => 7,
        }
    }
}

impl Found {
    /// What is there; links are followed.
    pub fn at(path: &Path) -> Option<Self> {
        let found = fs::metadata(path).ok()?;
        Some(Self {
            path: path.to_owned(),
            folder: found.is_dir(),
            owner: Uid::from_raw(found.uid()),
            group: Gid::from_raw(found.gid()),
            mode: found.mode() & 0o7777,
        })
    }
}

/// The command after which `reader` can do what it needs to. `None`: it can already.
///
/// A group that has rights is in use: others may depend on it, so the account joins it. Any
/// other group is replaced by the account's own.
pub(crate) fn grant(found: &Found, reader: &Reader, need: Need) -> Option<String> {
    let Found { owner, group, mode, .. } = found;
    let path = quoted(&found.path);
    let missing = need.bits() & !reader.bits(*owner, *group, *mode);
    if missing == 0 {
        return None;
    }
    if reader.uid == *owner {
        return Some(format!("chmod u+{} {path}", letters(missing)));
    }
    if reader.is_in(*group) {
        return Some(format!("chmod g+{} {path}", letters(missing)));
    }
    let held = mode >> 3 & 7;
    if held != 0 && group.as_raw() != 0 && reader.is_account() {
        let lacking = need.bits() & !held;
        let join = format!("usermod -aG {} {}", group_name(*group), user_name(reader.uid));
        return Some(match lacking {
            0 => join,
            _ => format!("{join} && chmod g+{} {path}", letters(lacking)),
        });
    }
    let change = format!("chgrp {} {path}", group_name(reader.gid));
    Some(match held {
        0 => format!("{change} && chmod g+{} {path}", letters(need.bits())),
        same if same == need.bits() => change,
        _ => format!("{change} && chmod g={} {path}", letters(need.bits())),
    })
}

/// The command after which nobody but the owner and `reader` can do anything with a secret,
/// and `reader` what it needs to.
pub(crate) fn shut(found: &Found, reader: &Reader, need: Need) -> String {
    let path = quoted(&found.path);
    let owners = found.mode & 0o700;
    if reader.uid.is_root() || reader.uid == found.owner {
        let bits = if reader.uid.is_root() { 0 } else { need.bits() << 6 };
        return format!("chmod {:04o} {path}", owners | bits);
    }
    let mode = format!("chmod {:04o} {path}", owners | need.bits() << 3);
    if reader.is_in(found.group) {
        return mode;
    }
    format!("chgrp {} {path} && {mode}", group_name(reader.gid))
}

/// The command after which a folder with all that is in it is the account's own.
pub(crate) fn own(path: &Path, reader: &Reader) -> String {
    format!("chown -R {}:{} {}", user_name(reader.uid), group_name(reader.gid), quoted(path))
}

/// The command that makes a folder of the account's own.
pub(crate) fn make(path: &Path, mode: u32, reader: &Reader) -> String {
    let (user, group) = (user_name(reader.uid), group_name(reader.gid));
    format!("install -d -o {user} -g {group} -m {mode:04o} {}", quoted(path))
}

/// A path as a shell takes it.
pub(crate) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%,=".contains(&byte);
    if text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

fn letters(bits: u32) -> String {
    [(4, 'r'), (2, 'w'), (1, 'x')]
        .into_iter()
        .filter(|(bit, _)| bits & bit != 0)
        .map(|(_, letter)| letter)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: u32 = 3_999_990;
    const JOINED: u32 = 3_999_115;
    const OTHER: u32 = 3_999_700;

    fn doorward() -> Reader {
        let (own, joined) = (Gid::from_raw(OWN), Gid::from_raw(JOINED));
        Reader { uid: Uid::from_raw(OWN), gid: own, groups: vec![own, joined] }
    }

    fn found(owner: u32, group: u32, mode: u32) -> Found {
        let folder = false;
        let (owner, group) = (Uid::from_raw(owner), Gid::from_raw(group));
        Found { path: "/x".into(), folder, owner, group, mode }
    }

    #[test]
    fn each_right_is_given_by_the_class_that_the_account_is_in() {
        use Need::{Fill, List, Pass, Read, Run, Write};
        for (owner, group, mode, need, expected) in [
            (0, 0, 0o644, Read, None),
            (0, 0, 0o600, Read, Some("chgrp 3999990 /x && chmod g+r /x")),
            (0, 0, 0o640, Read, Some("chgrp 3999990 /x")),
            (0, 0, 0o660, Read, Some("chgrp 3999990 /x && chmod g=r /x")),
            (0, OWN, 0o600, Read, Some("chmod g+r /x")),
            (0, OWN, 0o604, Read, Some("chmod g+r /x")),
            (0, JOINED, 0o600, Read, Some("chmod g+r /x")),
            (OWN, 0, 0o044, Read, Some("chmod u+r /x")),
            (OWN, OWN, 0o300, List, Some("chmod u+r /x")),
            (0, 0, 0o700, List, Some("chgrp 3999990 /x && chmod g+rx /x")),
            (0, OWN, 0o710, List, Some("chmod g+r /x")),
            (0, OWN, 0o740, List, Some("chmod g+x /x")),
            (0, 0, 0o700, Pass, Some("chgrp 3999990 /x && chmod g+x /x")),
            (0, 0, 0o750, Pass, Some("chgrp 3999990 /x && chmod g=x /x")),
            (0, 0, 0o644, Run, Some("chgrp 3999990 /x && chmod g=rx /x")),
            (0, 0, 0o755, Fill, Some("chgrp 3999990 /x && chmod g=rwx /x")),
            (OWN, OWN, 0o500, Fill, Some("chmod u+w /x")),
            (OWN, OWN, 0o400, Write, Some("chmod u+w /x")),
            // This uid has no account, so it cannot join a group.
            (0, OTHER, 0o640, Read, Some("chgrp 3999990 /x")),
        ] {
            let said = grant(&found(owner, group, mode), &doorward(), need);
            assert_eq!(said.as_deref(), expected, "{owner}:{group} {mode:04o} {need:?}");
        }
        let root = Reader { uid: Uid::from_raw(0), ..doorward() };
        assert_eq!(grant(&found(OTHER, OTHER, 0), &root, Read), None);
    }

    #[test]
    fn a_group_that_is_in_use_is_joined() {
        let nobody = nix::unistd::User::from_name("nobody").unwrap().unwrap();
        let reader = Reader { uid: nobody.uid, gid: nobody.gid, groups: vec![nobody.gid] };
        for (mode, need, expected) in [
            (0o640, Need::Read, "usermod -aG 3999700 nobody"),
            (0o740, Need::Pass, "usermod -aG 3999700 nobody && chmod g+x /x"),
        ] {
            assert_eq!(grant(&found(0, OTHER, mode), &reader, need).as_deref(), Some(expected));
        }
    }

    #[test]
    fn a_secret_is_shut_to_all_but_its_owner_and_the_account() {
        let root = Reader { uid: Uid::from_raw(0), ..doorward() };
        for (reader, owner, group, mode, expected) in [
            (doorward(), 0, 0, 0o644, "chgrp 3999990 /x && chmod 0640 /x"),
            (doorward(), 0, OWN, 0o644, "chmod 0640 /x"),
            (doorward(), 0, OWN, 0o664, "chmod 0640 /x"),
            (doorward(), 0, JOINED, 0o604, "chmod 0640 /x"),
            (doorward(), OWN, 0, 0o644, "chmod 0600 /x"),
            (doorward(), OWN, OWN, 0o044, "chmod 0400 /x"),
            (root, 0, 0, 0o644, "chmod 0600 /x"),
        ] {
            let said = shut(&found(owner, group, mode), &reader, Need::Read);
            assert_eq!(said, expected, "{owner}:{group} {mode:04o}");
        }
    }

    #[test]
    fn paths_are_written_for_a_shell() {
        assert_eq!(quoted(Path::new("/etc/web.keytab")), "/etc/web.keytab");
        assert_eq!(quoted(Path::new("/srv/my keys/it's")), "'/srv/my keys/it'\\''s'");
    }
}

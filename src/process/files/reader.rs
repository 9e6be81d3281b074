//! Who uses files, by the ids that the kernel checks.

use std::fmt;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd::{Gid, Uid, User, getegid, geteuid, getgroups};

use crate::config::section::RunAs;
use crate::process::account::{Account, group_name, user_name};

/// Who reads, by the ids that the kernel looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    pub uid: Uid,
    pub gid: Gid,
    pub groups: Vec<Gid>,
}

impl Reader {
    pub fn here() -> Self {
        Self { uid: geteuid(), gid: getegid(), groups: getgroups().unwrap_or_default() }
    }

    /// Who the gateway runs as: this process, or where this is root, the account whose the
    /// state folder is (a service that systemd starts as its user).
    pub fn of_gateway(state: &Path) -> Self {
        let here = Self::here();
        let owner = fs::metadata(state).map_or(0, |folder| folder.uid());
        if !here.uid.is_root() || owner == 0 {
            return here;
        }
        let run_as = RunAs { user: owner.to_string(), group: None };
        Account::find(&run_as).map_or(here, |account| Self::from(&account))
    }

    /// What owner and mode let it do: 4 read, 2 write, 1 run or pass. The first class that
    /// fits decides, and root is in none (path_resolution(7)).
    pub(crate) fn bits(&self, owner: Uid, group: Gid, mode: u32) -> u32 {
        let shift = if self.uid == owner {
            6
        } else if self.is_in(group) {
            3
        } else {
            0
        };
        if self.uid.is_root() { 7 } else { mode >> shift & 7 }
    }

    /// Whether a group is one of its own.
    pub(crate) fn is_in(&self, group: Gid) -> bool {
        self.gid == group || self.groups.contains(&group)
    }

    /// Whether the uid has an account, which can join groups.
    pub(crate) fn is_account(&self) -> bool {
        User::from_uid(self.uid).is_ok_and(|user| user.is_some())
    }
}

impl From<&Account> for Reader {
    fn from(account: &Account) -> Self {
        Self { uid: account.uid, gid: account.gid, groups: account.groups.clone() }
    }
}

impl fmt::Display for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut groups = vec![group_name(self.gid)];
        groups
            .extend(self.groups.iter().filter(|gid| **gid != self.gid).map(|gid| group_name(*gid)));
        let many = if groups.len() == 1 { "group" } else { "groups" };
        write!(f, "{} (uid {}, {many} {})", user_name(self.uid), self.uid, groups.join(", "))
    }
}

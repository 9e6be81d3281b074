//! The account that `run_as_user` and `run_as_group` name: looked up completely while the process
//! is still root, so that nothing must be looked up later.

use std::ffi::CString;

use nix::errno::Errno;
use nix::unistd::{Gid, Group, Uid, User, getegid, geteuid, getgrouplist};

use crate::config::section::RunAs;

/// An account of this host, with everything the kernel is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Its name; its uid in digits where it has none.
    pub name: String,
    /// Its uid, never root's.
    pub uid: Uid,
    /// `run_as_group`, else its primary group.
    pub gid: Gid,
    /// Every group it is a member of, [`Self::gid`] among them (initgroups(3)).
    pub groups: Vec<Gid>,
}

/// What is to be done to run as an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing: the process was started as that account.
    None,
    /// Root's rights are to be given up.
    Drop,
}

/// Why there is no such account, or this process cannot become it. Always the
/// configuration's fault, or that of how Doorward was started.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    #[error(
        "run_as_user names {0:?}, which this host does not know; create the account (useradd --system {0}), or correct run_as_user"
    )]
    NoUser(String),
    #[error(
        "run_as_group names {0:?}, which this host does not know; create the group (groupadd --system {0}), or correct run_as_group"
    )]
    NoGroup(String),
    /// A uid that no account has, and so no primary group.
    #[error("run_as_user is uid {0}, which has no account and so no group; set run_as_group")]
    Groupless(Uid),
    /// Root cannot be dropped to.
    #[error(
        "run_as_user names root, which has no rights to give up; name another account (useradd --system doorward), or remove run_as_user"
    )]
    Root,
    /// Only root may become somebody else.
    #[error(
        "run_as_user is {wanted}, but Doorward was started as {found}, who cannot become {wanted}; start it as root, or as {wanted} (User= and Group= of systemd), or remove run_as_user and run_as_group"
    )]
    NotRoot {
        /// What the configuration says.
        wanted: String,
        found: String,
    },
    /// NSS does not answer.
    #[error(
        "{what} cannot be looked up ({source}); is the directory service of this host running?"
    )]
    Lookup {
        /// The name that was asked for.
        what: String,
        /// What the system said.
        source: Errno,
    },
}

impl Account {
    /// Looks up what the configuration names. Digits are an id, all else a name.
    ///
    /// # Errors
    /// See [`AccountError`].
    pub fn find(run_as: &RunAs) -> Result<Self, AccountError> {
        let lookup = |source| AccountError::Lookup { what: run_as.user.clone(), source };
        let user = match id(&run_as.user) {
            Some(uid) => User::from_uid(Uid::from_raw(uid)),
            None => User::from_name(&run_as.user),
        };
        let user = user.map_err(lookup)?;
        let uid = match (&user, id(&run_as.user)) {
            (Some(user), _) => user.uid,
            (None, Some(uid)) => Uid::from_raw(uid),
            (None, None) => return Err(AccountError::NoUser(run_as.user.clone())),
        };
        if uid.is_root() {
            return Err(AccountError::Root);
        }
        let gid = match (&run_as.group, &user) {
            (Some(group), _) => group_id(group)?,
            (None, Some(user)) => user.gid,
            (None, None) => return Err(AccountError::Groupless(uid)),
        };
        let Some(user) = user else {
            return Ok(Self { name: uid.to_string(), uid, gid, groups: vec![gid] });
        };
        // A name that came from the system's table has no NUL in it.
        let name = CString::new(user.name.as_str()).unwrap_or_default();
        let groups = getgrouplist(&name, gid).map_err(lookup)?;
        Ok(Self { name: user.name, uid, gid, groups })
    }

    /// Whether this process has to change to run as the account, and may.
    ///
    /// # Errors
    /// [`AccountError::NotRoot`].
    pub fn change(&self) -> Result<Change, AccountError> {
        if geteuid().is_root() {
            return Ok(Change::Drop);
        }
        if (geteuid(), getegid()) == (self.uid, self.gid) {
            return Ok(Change::None);
        }
        let wanted = format!("{} (uid {}, group {})", self.name, self.uid, group_name(self.gid));
        let found = format!(
            "{} (uid {}, group {})",
            user_name(geteuid()),
            geteuid(),
            group_name(getegid())
        );
        Err(AccountError::NotRoot { wanted, found })
    }
}

/// The name of a user, or the uid where it has none.
pub(crate) fn user_name(uid: Uid) -> String {
    let found = User::from_uid(uid).ok().flatten();
    found.map_or_else(|| uid.to_string(), |user| user.name)
}

/// The name of a group, or the gid where it has none.
pub(crate) fn group_name(gid: Gid) -> String {
    let found = Group::from_gid(gid).ok().flatten();
    found.map_or_else(|| gid.to_string(), |group| group.name)
}

fn group_id(written: &str) -> Result<Gid, AccountError> {
    if let Some(gid) = id(written) {
        return Ok(Gid::from_raw(gid));
    }
    let lookup = |source| AccountError::Lookup { what: written.to_owned(), source };
    let group = Group::from_name(written).map_err(lookup)?;
    group.map(|group| group.gid).ok_or_else(|| AccountError::NoGroup(written.to_owned()))
}

fn id(written: &str) -> Option<u32> {
    let digits = !written.is_empty() && written.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| written.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(user: &str, group: Option<&str>) -> Result<Account, AccountError> {
        Account::find(&RunAs { user: user.to_owned(), group: group.map(str::to_owned) })
    }

    #[test]
    fn a_name_and_its_uid_are_the_same_account() {
        let nobody = find("nobody", None).unwrap();
        assert_eq!(nobody.name, "nobody");
        assert!(nobody.groups.contains(&nobody.gid));
        assert_eq!(find(&nobody.uid.to_string(), None).unwrap(), nobody);
    }

    #[test]
    fn a_group_of_its_own_choosing_is_the_first_and_counts_as_a_membership() {
        let nobody = find("nobody", Some("daemon")).unwrap();
        assert_eq!(group_name(nobody.gid), "daemon");
        assert!(nobody.groups.contains(&nobody.gid));
    }

    #[test]
    fn a_uid_without_account_needs_a_group() {
        assert!(matches!(find("3999999", None), Err(AccountError::Groupless(_))));
        let bare = find("3999999", Some("3999998")).unwrap();
        assert_eq!((bare.name.as_str(), bare.groups.len()), ("3999999", 1));
    }

    #[test]
    fn who_is_not_there_is_named_and_root_is_nobody_to_change_to() {
        let error = find("no-such-account", None).unwrap_err().to_string();
        assert!(error.starts_with("run_as_user names \"no-such-account\""), "{error}");
        let error = find("nobody", Some("no-such-group")).unwrap_err().to_string();
        assert!(error.starts_with("run_as_group names \"no-such-group\""), "{error}");
        assert!(matches!(find("root", None), Err(AccountError::Root)));
        assert!(matches!(find("0", None), Err(AccountError::Root)));
    }
}

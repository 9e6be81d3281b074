//! Rights of this process: takes over descriptors that were opened for it, and gives up root's
//! rights for good.
//!
//! The kernel keeps ids, capabilities and flags for each thread. So this happens
//! while there is one thread, and all later ones inherit what is left.

use std::fs;
use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};

use nix::unistd::{
    Gid, Uid, getgroups, getresgid, getresuid, setgid, setgroups, setresgid, setresuid, setuid,
};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};
use rustix::thread::{
    CapabilitySet, CapabilitySets, capabilities, clear_ambient_capability_set,
    remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::account::Account;

/// Why the rights could not be given up. The process must end then: which of
/// them are left is not known.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// Threads would keep the old rights.
    #[error(
        "root's rights cannot be given up while {0} threads run (a bug in Doorward: please report it); start it as the account instead, and remove run_as_user"
    )]
    Threads(usize),
    /// The system refuses a step.
    #[error(
        "root's rights cannot be given up: the system refuses to {step} ({source}). In a container, allow the capabilities SETUID, SETGID and SETPCAP, or start Doorward as the account and remove run_as_user"
    )]
    Refused {
        step: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// Something of root was left.
    #[error(
        "root's rights were given up, but {0}; something on this host (a security module, a container runtime) prevents it: start Doorward as the account, and remove run_as_user"
    )]
    Left(&'static str),
}

/// Becomes `account`, with the groups of that account and no others, without any
/// capability, without a way back, and closed to debuggers and core dumps, for
/// there are keys in memory. Programs started later gain nothing by set-uid bits.
///
/// # Errors
/// See [`PrivilegeError`].
pub(crate) fn drop_to(account: &Account) -> Result<(), PrivilegeError> {
    let threads = threads().map_err(refused("count its threads"))?;
    if threads != 1 {
        return Err(PrivilegeError::Threads(threads));
    }
    empty_bounding_set();
    // Groups first, then the group, then the user: each step needs the rights that
    // the later ones take away.
    setgroups(&account.groups).map_err(refused("set its groups"))?;
    setresgid(account.gid, account.gid, account.gid).map_err(refused("change its group"))?;
    setresuid(account.uid, account.uid, account.uid).map_err(refused("change its user"))?;
    // Changing all three uids has emptied these already, unless the process was started
    // with securebits that keep them (capabilities(7)).
    clear_ambient_capability_set().map_err(refused("clear its ambient capabilities"))?;
    set_capabilities(None, NO_CAPABILITIES).map_err(refused("clear its capabilities"))?;
    set_no_new_privs(true).map_err(refused("give up new rights"))?;
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(refused("close itself to debuggers"))?;
    verify(account)
}

/// What the kernel says, rather than that no call failed.
fn verify(account: &Account) -> Result<(), PrivilegeError> {
    let uids = getresuid().map_err(refused("tell its user"))?;
    if [uids.real, uids.effective, uids.saved] != [account.uid; 3] {
        return Err(PrivilegeError::Left("a uid is another's"));
    }
    let gids = getresgid().map_err(refused("tell its group"))?;
    if [gids.real, gids.effective, gids.saved] != [account.gid; 3] {
        return Err(PrivilegeError::Left("a gid is another's"));
    }
    if sorted(getgroups().map_err(refused("tell its groups"))?) != sorted(account.groups.clone()) {
        return Err(PrivilegeError::Left("its groups are not those of the account"));
    }
    if capabilities(None).map_err(refused("tell its capabilities"))? != NO_CAPABILITIES {
        return Err(PrivilegeError::Left("capabilities are left"));
    }
    if setuid(Uid::from_raw(0)).is_ok() {
        return Err(PrivilegeError::Left("it could become root again"));
    }
    if !account.groups.contains(&ROOTS_GROUP) && setgid(ROOTS_GROUP).is_ok() {
        return Err(PrivilegeError::Left("it could take root's group again"));
    }
    Ok(())
}

/// No program started later could gain what is not in this set. It is a second
/// bolt behind `no_new_privs`, so a container that forbids the change is no reason to stop.
fn empty_bounding_set() {
    for capability in CapabilitySet::all().iter() {
        // A kernel that is older than a capability refuses that one alone.
        let _ = remove_capability_from_bounding_set(capability);
    }
}

fn threads() -> io::Result<usize> {
    Ok(fs::read_dir("/proc/self/task")?.count())
}

fn sorted(mut groups: Vec<Gid>) -> Vec<Gid> {
    groups.sort_unstable_by_key(|group| group.as_raw());
    groups.dedup();
    groups
}

fn refused<E: Into<io::Error>>(step: &'static str) -> impl Fn(E) -> PrivilegeError {
    move |error| PrivilegeError::Refused { step, source: error.into() }
}

const NO_CAPABILITIES: CapabilitySets = CapabilitySets {
    effective: CapabilitySet::empty(),
    permitted: CapabilitySet::empty(),
    inheritable: CapabilitySet::empty(),
};
const ROOTS_GROUP: Gid = Gid::from_raw(0);

/// Takes a descriptor that the service manager opened for this process. Each may
/// be taken once, before anything else of the program opens files.
#[allow(unsafe_code)]
pub(super) fn adopt(number: RawFd) -> OwnedFd {
    // SAFETY: the number is in LISTEN_FDS under our LISTEN_PID, so it was open before
    // this program began and nothing in it owns it; it has just been found open
    // (listen_fds sets a flag on each), and the only caller runs once.
    unsafe { OwnedFd::from_raw_fd(number) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beside_other_threads_nothing_is_given_up() {
        let (before, groups) = (getresuid().unwrap(), getgroups().unwrap());
        let account = Account {
            name: "nobody".to_owned(),
            uid: Uid::from_raw(65_534),
            gid: Gid::from_raw(65_534),
            groups: vec![Gid::from_raw(65_534)],
        };
        let (over, wait) = std::sync::mpsc::channel::<()>();
        let other = std::thread::spawn(move || wait.recv());
        assert!(matches!(drop_to(&account), Err(PrivilegeError::Threads(2..))));
        drop(over);
        other.join().unwrap().unwrap_err();
        assert_eq!((getresuid().unwrap(), getgroups().unwrap()), (before, groups));
    }
}

//! Who a process of this host is, by its uid.

use std::ffi::CString;

use nix::unistd::{Gid, Group, Uid, User, getgrouplist};

use super::Peer;

/// `local_admin_users`, `front_users` and `allow_local_users`.
#[derive(Clone, Debug)]
pub(in crate::core_server) struct PeerRules {
    admins: Vec<Account>,
    fronts: Vec<Account>,
    allow_local: bool,
}

#[derive(Clone, Debug)]
enum Account {
    Uid(u32),
    Name(String),
    Group(String),
}

/// The system's accounts. Looking one up may block, as it may ask a directory.
pub(in crate::core_server) trait Accounts {
    /// The uid of an account name.
    fn uid_of(&self, name: &str) -> Option<u32>;
    /// The account name of a uid.
    fn name_of(&self, uid: u32) -> Option<String>;
    /// Whether the account of a uid belongs to a group.
    fn is_member(&self, uid: u32, group: &str) -> bool;
}

impl PeerRules {
    /// From the settings, as written: pure digits are a uid, what begins with
    /// `@` is a group, all else a name.
    pub(in crate::core_server) fn new(
        admins: &[String],
        fronts: &[String],
        allow_local: bool,
    ) -> Self {
        Self { admins: read(admins), fronts: read(fronts), allow_local }
    }

    /// Who a peer is by its uid; `own` is the core's effective uid. Names and
    /// groups are looked up anew each time, and one that does not exist counts
    /// for nobody.
    pub(in crate::core_server) fn judge(
        &self,
        uid: u32,
        own: u32,
        accounts: &impl Accounts,
    ) -> Peer {
        if uid == own || names(&self.admins, uid, accounts) {
            Peer::System { uid }
        } else if names(&self.fronts, uid, accounts) {
            Peer::Front { uid }
        } else {
            let account = if self.allow_local { accounts.name_of(uid) } else { None };
            Peer::Local { uid, account }
        }
    }
}

fn read(written: &[String]) -> Vec<Account> {
    let account = |word: &String| match (word.parse(), word.strip_prefix('@')) {
        (Ok(uid), _) if word.bytes().all(|byte| byte.is_ascii_digit()) => Account::Uid(uid),
        (_, Some(group)) => Account::Group(group.to_owned()),
        _ => Account::Name(word.clone()),
    };
    written.iter().map(account).collect()
}

fn names(list: &[Account], uid: u32, accounts: &impl Accounts) -> bool {
    list.iter().any(|account| match account {
        Account::Uid(listed) => *listed == uid,
        Account::Name(name) => accounts.uid_of(name) == Some(uid),
        Account::Group(group) => accounts.is_member(uid, group),
    })
}

/// The accounts of this host, as NSS knows them.
pub(in crate::core_server) struct System;

impl Accounts for System {
    fn uid_of(&self, name: &str) -> Option<u32> {
        let found = User::from_name(name).inspect_err(|error| {
            tracing::warn!(name, %error, "an account cannot be looked up, and gets no rights");
        });
        found.ok().flatten().map(|user| user.uid.as_raw())
    }

    fn name_of(&self, uid: u32) -> Option<String> {
        Some(account(uid)?.name)
    }

    fn is_member(&self, uid: u32, group: &str) -> bool {
        let found = Group::from_name(group).inspect_err(|error| {
            tracing::warn!(group, %error, "a group cannot be looked up, and gets no rights");
        });
        let (Ok(Some(group)), Some(user)) = (found, account(uid)) else { return false };
        groups(&user).contains(&group.gid)
    }
}

fn account(uid: u32) -> Option<User> {
    let found = User::from_uid(Uid::from_raw(uid)).inspect_err(|error| {
        tracing::warn!(uid, %error, "an account cannot be looked up, and gets no rights");
    });
    found.ok().flatten()
}

/// The groups that a new process of the account would have: those of a
/// directory too, which do not list their members.
fn groups(user: &User) -> Vec<Gid> {
    let name = CString::new(user.name.as_str());
    name.ok().and_then(|name| getgrouplist(&name, user.gid).ok()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Passwd;

    impl Accounts for Passwd {
        fn uid_of(&self, name: &str) -> Option<u32> {
            [("root", 0), ("www-data", 33), ("john", 1000), ("1001", 5), ("33abc", 6)]
                .into_iter()
                .find_map(|(known, uid)| (known == name).then_some(uid))
        }

        fn name_of(&self, uid: u32) -> Option<String> {
            (uid == 1000).then(|| "john".to_owned())
        }

        fn is_member(&self, uid: u32, group: &str) -> bool {
            (uid, group) == (1000, "staff")
        }
    }

    #[test]
    fn a_peer_is_judged_by_its_uid() {
        const OWN: u32 = 990;
        let rules = |admins: &[&str], fronts: &[&str], allow_local| {
            let owned = |list: &[&str]| list.iter().map(ToString::to_string).collect::<Vec<_>>();
            PeerRules::new(&owned(admins), &owned(fronts), allow_local)
        };
        let system = |uid| Peer::System { uid };
        let front = |uid| Peer::Front { uid };
        let local =
            |uid, account: Option<&str>| Peer::Local { uid, account: account.map(Into::into) };
        for (admins, fronts, allow_local, uid, expected) in [
            (&["root"][..], &[][..], true, 0, system(0)),
            (&[], &[], true, OWN, system(OWN)),
            // Root has no rights of its own after the core dropped its privileges.
            (&[], &[], true, 0, local(0, None)),
            (&["root"], &["www-data"], true, 33, front(33)),
            (&["root"], &["33"], true, 33, front(33)),
            (&["www-data"], &["www-data"], true, 33, system(33)),
            // Digits are a uid even when an account has that name.
            (&["1001"], &[], true, 1001, system(1001)),
            (&["1001"], &[], true, 5, local(5, None)),
            // Digits with more behind them are a name.
            (&["33abc"], &[], true, 33, local(33, None)),
            (&["33abc"], &[], true, 6, system(6)),
            (&["+33"], &[], true, 33, local(33, None)),
            // Names without account, and uids beyond 32 bits, are nobody.
            (&["nobody-here", "99999999999"], &[], true, 99, local(99, None)),
            (&[], &[], true, 1000, local(1000, Some("john"))),
            (&["@staff"], &[], true, 1000, system(1000)),
            (&["staff", "@nobody-here"], &["@staff"], true, 1000, front(1000)),
            (&["@staff"], &[], true, 99, local(99, None)),
            (&[], &[], false, 1000, local(1000, None)),
        ] {
            let judged = rules(admins, fronts, allow_local).judge(uid, OWN, &Passwd);
            assert_eq!(judged, expected, "{admins:?} {fronts:?} {allow_local} {uid}");
        }
    }

    #[test]
    fn root_is_in_its_own_group_and_in_no_other() {
        assert!(System.is_member(0, "root"));
        assert!(!System.is_member(0, "nogroup"));
        assert!(!System.is_member(0, "no-such-group"));
        assert!(!System.is_member(4_000_000, "root"));
    }
}

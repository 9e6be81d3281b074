//! Who is asking: a fact of the transport.

use std::fmt;

/// A process at the other end of the unix socket: decided once, when it connects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// The core's own uid, or one of `local_admin_users`: acts as SYSTEM.
    System {
        /// Its effective uid when it connected.
        uid: u32,
    },
    /// One of `front_users`.
    Front {
        /// Its effective uid when it connected.
        uid: u32,
    },
    /// Anybody else on this host.
    Local {
        /// Its effective uid when it connected.
        uid: u32,
        /// The account it may open sessions for; `None` for a uid without
        /// account, and where `allow_local_users` is off.
        account: Option<String>,
    },
}

/// The words of the audit log: `uid 33`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "uid {}", self.uid())
    }
}

impl Peer {
    /// Its effective uid when it connected.
    pub(super) const fn uid(&self) -> u32 {
        match self {
            Self::System { uid } | Self::Front { uid } | Self::Local { uid, .. } => *uid,
        }
    }
}

/// `local_admin_users`, `front_users` and `allow_local_users`.
#[derive(Clone, Debug)]
pub(super) struct PeerRules {
    admins: Vec<Account>,
    fronts: Vec<Account>,
    allow_local: bool,
}

#[derive(Clone, Debug)]
enum Account {
    Uid(u32),
    Name(String),
}

/// The system's accounts. Looking one up may block, as it may ask a directory.
pub(super) trait Accounts {
    /// The uid of an account name.
    fn uid_of(&self, name: &str) -> Option<u32>;
    /// The account name of a uid.
    fn name_of(&self, uid: u32) -> Option<String>;
}

impl PeerRules {
    /// From the settings, as written: pure digits are a uid, all else a name.
    pub(super) fn new(admins: &[String], fronts: &[String], allow_local: bool) -> Self {
        Self { admins: read(admins), fronts: read(fronts), allow_local }
    }

    /// Who a peer is by its uid; `own` is the core's effective uid. Names are
    /// looked up anew each time, and one without account counts for nobody.
    pub(super) fn judge(&self, uid: u32, own: u32, accounts: &impl Accounts) -> Peer {
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
    let account = |word: &String| match word.parse() {
        Ok(uid) if word.bytes().all(|byte| byte.is_ascii_digit()) => Account::Uid(uid),
        _ => Account::Name(word.clone()),
    };
    written.iter().map(account).collect()
}

fn names(list: &[Account], uid: u32, accounts: &impl Accounts) -> bool {
    list.iter().any(|account| match account {
        Account::Uid(listed) => *listed == uid,
        Account::Name(name) => accounts.uid_of(name) == Some(uid),
    })
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
            (&[], &[], false, 1000, local(1000, None)),
        ] {
            let judged = rules(admins, fronts, allow_local).judge(uid, OWN, &Passwd);
            assert_eq!(judged, expected, "{admins:?} {fronts:?} {allow_local} {uid}");
        }
    }
}

//! Who is asking. The transport decides.

use std::fmt;
use std::net::IpAddr;

use crate::config::section::{ActAs, KeyRights};
use crate::identity::Identity;
use crate::wire::{ActingAs, PeerCredential};

pub(in crate::core_server) mod accounts;
pub(in crate::core_server) mod certificate;
pub(in crate::core_server) mod keys;
pub(in crate::core_server) mod program;

/// Who is at the other end. On the unix socket it is decided once, when it
/// connects; on TLS for every request, because a key may be taken away meanwhile.
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
    /// Who holds a key of `sslkeys_path`, and a certificate for it.
    Key(KeyPeer),
    /// Who comes by TLS and shows no certificate.
    Anonymous {
        /// Where it comes from.
        address: IpAddr,
    },
}

/// The holder of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPeer {
    /// The key's file in `sslkeys_path`.
    pub(super) file: String,
    /// What it may do.
    pub(super) rights: KeyRights,
    /// Where it comes from.
    pub(super) address: IpAddr,
}

/// What a peer is to the core, whatever it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Everything.
    System,
    /// Proves who is there.
    Front,
    /// Vouches for some users.
    Service,
    /// Is its own account.
    Local,
    /// Nobody.
    Anonymous,
}

/// The words of the audit log: `uid 33`, `key webapp-public.pem from 192.0.2.1`.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { uid } | Self::Front { uid } | Self::Local { uid, .. } => {
                write!(f, "uid {uid}")
            }
            Self::Key(KeyPeer { file, address, .. }) => write!(f, "key {file} from {address}"),
            Self::Anonymous { address } => write!(f, "nobody from {address}"),
        }
    }
}

impl Peer {
    /// What it is to the core.
    pub(super) const fn standing(&self) -> Standing {
        match self {
            Self::System { .. } => Standing::System,
            Self::Front { .. } => Standing::Front,
            Self::Local { .. } => Standing::Local,
            Self::Key(KeyPeer { rights: KeyRights::System, .. }) => Standing::System,
            Self::Key(KeyPeer { rights: KeyRights::Front, .. }) => Standing::Front,
            Self::Key(KeyPeer { rights: KeyRights::Service(_), .. }) => Standing::Service,
            Self::Anonymous { .. } => Standing::Anonymous,
        }
    }

    /// By what it is known.
    pub(super) const fn credential(&self) -> PeerCredential {
        match self {
            Self::System { .. } | Self::Front { .. } | Self::Local { .. } => PeerCredential::Unix,
            Self::Key(_) => PeerCredential::Certificate,
            Self::Anonymous { .. } => PeerCredential::Anonymous,
        }
    }

    /// Its effective uid when it connected.
    pub(super) const fn uid(&self) -> Option<u32> {
        match self {
            Self::System { uid } | Self::Front { uid } | Self::Local { uid, .. } => Some(*uid),
            Self::Key(_) | Self::Anonymous { .. } => None,
        }
    }

    /// Where it comes from, by network.
    pub(super) const fn address(&self) -> Option<IpAddr> {
        match self {
            Self::Key(KeyPeer { address, .. }) | Self::Anonymous { address } => Some(*address),
            Self::System { .. } | Self::Front { .. } | Self::Local { .. } => None,
        }
    }

    /// The file of its key.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key) => Some(&key.file),
            _ => None,
        }
    }

    /// As whom it acts; `None`: as nobody.
    pub(super) fn acting_as(&self) -> Option<ActingAs> {
        match (self.standing(), self) {
            (Standing::System, _) => Some(ActingAs::System),
            (Standing::Front, _) => Some(ActingAs::Front),
            (_, Self::Local { account, .. }) => account.clone().map(ActingAs::Users),
            (_, Self::Key(KeyPeer { rights: KeyRights::Service(users), .. })) => {
                let users: Vec<_> = users.iter().map(ToString::to_string).collect();
                Some(ActingAs::Users(users.join(", ")))
            }
            _ => None,
        }
    }

    /// Whether its word on the addresses of clients counts: whoever is
    /// believed about users is believed about where they sit.
    pub(super) const fn sees_clients(&self) -> bool {
        matches!(self.standing(), Standing::System | Standing::Front | Standing::Service)
    }

    /// Whether somebody is among those it may vouch for (`act_as`).
    pub(super) fn vouches_for(&self, identity: &Identity) -> bool {
        match self {
            Self::Key(KeyPeer { rights: KeyRights::Service(users), .. }) => {
                users.iter().any(|user| match user {
                    ActAs::System | ActAs::Anybody => true,
                    ActAs::User(who) => who == identity.login_id(),
                    ActAs::Company(company) => company == identity.company(),
                })
            }
            _ => self.standing() == Standing::System,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Rules, Via, identify};
    use crate::wire::LoginId;
    use std::slice::from_ref;

    #[test]
    fn a_key_vouches_for_those_it_is_given() {
        let rules = Rules::new(&[], &[], Vec::new());
        let who = |name| identify(name, Via::Trusted, &rules).unwrap();
        let key = |act_as: &[ActAs]| {
            Peer::Key(KeyPeer {
                file: "webapp-public.pem".into(),
                rights: KeyRights::Service(act_as.to_vec()),
                address: "192.0.2.1".parse().unwrap(),
            })
        };
        let (john, company) =
            (ActAs::User(LoginId::without_company("john")), ActAs::Company("acme".into()));
        for (act_as, name, may) in [
            (&[ActAs::Anybody][..], "mary", true),
            (from_ref(&john), "John", true),
            (from_ref(&john), "mary", false),
            (from_ref(&company), "john", false),
            (&[company.clone(), john.clone()], "john", true),
            (&[], "john", false),
        ] {
            assert_eq!(key(act_as).vouches_for(&who(name)), may, "{act_as:?} {name}");
        }
        assert!(Peer::System { uid: 0 }.vouches_for(&who("mary")));
        let local = Peer::Local { uid: 1000, account: Some("john".into()) };
        assert!(!local.vouches_for(&who("john")));
        assert!(!Peer::Front { uid: 33 }.vouches_for(&who("john")));
    }
}

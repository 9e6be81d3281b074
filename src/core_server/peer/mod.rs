//! Who is asking. The transport decides.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::rights::Actor;
use crate::config::section::KeyRights;
use crate::wire::{ActingAs, KeyFile, PeerCredential};

pub(in crate::core_server) mod accounts;
pub(in crate::core_server) mod certificate;
pub(in crate::core_server) mod keys;
pub(in crate::core_server) mod program;

use certificate::Client;
use program::Program;

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
    pub(super) file: KeyFile,
    /// What it may do.
    pub(super) rights: KeyRights,
    /// Where it comes from.
    pub(super) address: IpAddr,
}

/// The other end of a connection, from which follows who the peer is.
#[derive(Clone, Debug)]
pub(super) enum Remote {
    /// Of the unix socket.
    Program(Arc<Program>),
    /// Of TLS.
    Client(Arc<Client>),
}

/// What a peer is to the core, whatever it came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PeerKind {
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
    pub(super) const fn kind(&self) -> PeerKind {
        match self {
            Self::System { .. } => PeerKind::System,
            Self::Front { .. } => PeerKind::Front,
            Self::Local { .. } => PeerKind::Local,
            Self::Key(KeyPeer { rights: KeyRights::System, .. }) => PeerKind::System,
            Self::Key(KeyPeer { rights: KeyRights::Front, .. }) => PeerKind::Front,
            Self::Key(KeyPeer { rights: KeyRights::Service(_), .. }) => PeerKind::Service,
            Self::Anonymous { .. } => PeerKind::Anonymous,
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
    pub(super) const fn key_file(&self) -> Option<&KeyFile> {
        match self {
            Self::Key(key) => Some(&key.file),
            _ => None,
        }
    }

    /// As whom it acts; `None`: as nobody.
    pub(super) fn acting_as(&self) -> Option<ActingAs> {
        match (self.kind(), self) {
            (PeerKind::System, _) => Some(ActingAs::System),
            (PeerKind::Front, _) => Some(ActingAs::Front),
            (_, Self::Local { account, .. }) => account.clone().map(ActingAs::Users),
            (_, Self::Key(KeyPeer { rights: KeyRights::Service(users), .. })) => {
                let users: Vec<_> = users.iter().map(ToString::to_string).collect();
                Some(ActingAs::Users(users.join(", ")))
            }
            _ => None,
        }
    }

    /// As whom it does what it asks for.
    pub(super) fn actor(&self) -> Actor<'_> {
        match self {
            Self::System { .. } | Self::Key(KeyPeer { rights: KeyRights::System, .. }) => {
                Actor::System
            }
            Self::Front { .. } | Self::Key(KeyPeer { rights: KeyRights::Front, .. }) => {
                Actor::Front
            }
            Self::Local { account, .. } => Actor::Program(account.as_deref()),
            Self::Key(KeyPeer { rights: KeyRights::Service(act_as), .. }) => Actor::Service(act_as),
            Self::Anonymous { .. } => Actor::Nobody,
        }
    }
}

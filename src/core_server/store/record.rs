use std::net::IpAddr;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::wire::{Fingerprint, Mechanism, SessionKey, User};

/// A session as it is stored, and as it was when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// SHA-256 of the secret. No two sessions of any core have the same.
    pub key: SessionKey,
    /// Whose session it is. Sessions of one user share it.
    pub user: Arc<User>,
    /// How its owner was proven.
    pub mechanism: Mechanism,
    /// The principal as proven.
    pub principal: String,
    /// By password: the name as it was typed. It is not stored.
    pub typed: Option<String>,
    /// By certificate: the key that it was opened with.
    pub public_key: Option<Fingerprint>,
    /// Whether the proof was bound to a TLS channel.
    pub channel_bound: bool,
    /// When it began.
    pub opened_at: Timestamp,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The only address it may be used from.
    pub only_from: Option<IpAddr>,
    /// The peer that opened it, in the words of the audit log: `uid 33`. Empty
    /// where an older version opened it.
    pub opened_by: Arc<str>,
    /// The administrator who acts as its owner.
    pub impersonator: Option<String>,
    /// The client's address, as that peer told it.
    pub client: Option<IpAddr>,
    /// How far it has been used.
    pub usage: Usage,
}

/// How far a session has been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// When it was last used; at first, when it began.
    pub last_used: Timestamp,
    /// Whether its secret ever came back.
    pub claimed: bool,
}

impl Usage {
    /// Both uses, whichever came first.
    pub(crate) fn and(self, other: Self) -> Self {
        Self {
            last_used: self.last_used.max(other.last_used),
            claimed: self.claimed || other.claimed,
        }
    }
}

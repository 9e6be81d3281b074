//! What administrators see: sessions without their secrets, and the keys of peers.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Fingerprint, KeyFile, Mechanism, SessionKey, Word};
use crate::clock::Timestamp;

/// `GET /v1/sessions`: a page of the sessions that live, the oldest first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionList {
    /// The sessions.
    pub sessions: Vec<SessionEntry>,
    /// What to give as `after` for the next page; `None`: this is the last.
    pub next: Option<String>,
}

/// A session as administrators see it. Nobody can sign on with anything in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SessionEntry {
    /// SHA-256 of the session's secret: the audit log has its first eight digits.
    pub id: SessionKey,
    /// The login name of its owner.
    pub user: String,
    /// The tenant of its owner; empty outside multi-tenancy.
    pub company: String,
    /// How its owner was proven.
    pub mechanism: Word<Mechanism>,
    /// The principal as it was proven, or the name that was trusted.
    pub principal: String,
    /// Whether the proof was bound to a TLS channel.
    pub channel_bound: bool,
    /// The peer that opened it and, by mechanism `trusted`, vouched for the
    /// user: `uid 33`, `key webapp-public.pem from 192.0.2.1`. Empty where an
    /// older version opened it.
    pub opened_by: String,
    /// The administrator who acts as its owner.
    pub impersonator: Option<String>,
    /// The client's address, where that peer told it.
    pub client: Option<IpAddr>,
    /// The only address it may be used from, under `session_ip_check`.
    pub only_from: Option<IpAddr>,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used; `None`: its secret never came back.
    pub last_used_at: Option<Timestamp>,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
}

/// `GET /v1/keys`: a page of what is in `sslkeys_path`, and of the entries for it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyList {
    /// `sslkeys_path`; `None`: the core does not listen for TLS, so no key counts.
    pub folder: Option<String>,
    /// Why the folder cannot be read.
    pub unreadable: Option<String>,
    /// The files, by their names.
    pub keys: Vec<KeyEntry>,
    /// What to give as `after` for the next page; `None`: this is the last.
    pub next: Option<String>,
}

/// A file in `sslkeys_path`, or an entry for one that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KeyEntry {
    /// Its name: the name of the key's holder in the audit log.
    pub file: KeyFile,
    /// Whether the key counts.
    pub state: Word<KeyState>,
    /// Why it does not, and what to do.
    pub why: Option<String>,
    /// Algorithm and size, such as `RSA 2048`, `ECDSA P-256`, `Ed25519`.
    pub algorithm: Option<String>,
    /// Its fingerprint, as `doorward cert show` prints it.
    pub fingerprint: Option<Fingerprint>,
    /// What its holder is.
    pub role: Word<KeyRole>,
    /// For whom a service may open sessions.
    pub act_as: Vec<String>,
    /// Networks from which it counts; empty: from everywhere.
    pub from: Vec<String>,
    /// When it ceases to count.
    pub not_after: Option<Timestamp>,
}

/// Whether a key counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeyState {
    /// It does, with a certificate of a known authority.
    Listed,
    /// No `[[core.key]]` names it, and keys without one may do nothing.
    Refused,
    /// `not_after` is past.
    Expired,
    /// The file cannot be used.
    Skipped,
    /// A `[[core.key]]` names it, and it is not there.
    Missing,
}

/// What the holder of a key is to the core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum KeyRole {
    /// SYSTEM: everything, for everybody.
    System,
    /// Proves who is there.
    Front,
    /// Vouches for those in `act_as`.
    Service,
    /// Nothing: it has no `[[core.key]]`, or its file holds no key.
    Nothing,
}

impl fmt::Display for KeyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Listed => "listed",
            Self::Refused => "refused",
            Self::Expired => "expired",
            Self::Skipped => "skipped",
            Self::Missing => "missing",
        })
    }
}

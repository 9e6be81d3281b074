//! What a front has proven, and the account that its verifier named.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;
use crate::wire::{Fingerprint, Mechanism};

/// What a front has proven about a client, as it travels to the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Proof {
    /// How it was proven.
    pub mechanism: Mechanism,
    /// The principal exactly as proven, in the mechanism's own display form: by
    /// Kerberos `john@ADSDOMAIN.EXAMPLE`, with RFC 1964 quoting for odd characters;
    /// by NTLM `ADSDOMAIN\john`; by certificate its subject, `CN=John`.
    pub principal: String,
    /// The realm of the key that accepted, or the domain that winbind belongs to:
    /// its people may come in when no `[[core.realm]]` is configured.
    pub acceptor_realm: Option<String>,
    /// The account itself, where the verifier tells it: from the ticket's
    /// authenticated PAC, or from winbind. Then it decides who signs on, and
    /// `principal` only says what was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Box<Account>>,
    /// By certificate: its public key. The core knows as whom the key signs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Fingerprint>,
    /// Whether the proof is bound to the client's TLS channel (RFC 5929).
    pub channel_bound: bool,
    /// When the ticket or the certificate ends: no session outlives it.
    pub ends_at: Option<Timestamp>,
    /// Group SIDs from the ticket's authenticated PAC (MS-PAC 2.5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// An account, as its verifier names it: a domain controller in the PAC of a
/// ticket, or winbind. What the client wrote counts for nothing beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Account {
    /// The SAM account name: `john`; a computer's ends with `$`.
    pub sam: String,
    /// The user principal name: `john.doe@example.org`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upn: Option<String>,
    /// The Windows (NetBIOS) name of its domain: `ADSDOMAIN`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The DNS name of its domain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dns_domain: Option<String>,
    /// Its SID: `S-1-5-21-…`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// What it is.
    #[serde(default)]
    pub kind: AccountKind,
}

/// What an account is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AccountKind {
    /// A person's, or a service's.
    #[default]
    Person,
    /// A computer's, or that of a trust between domains.
    Computer,
}

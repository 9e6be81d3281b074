//! The core's API as types, and its client: all that front, core, admin tool
//! share. HTTP and JSON under `/v1`; `docs/architecture.md` has the table of
//! who may ask what.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

pub(crate) mod admin;
pub(crate) mod attempts;
pub(crate) mod ending;
pub(crate) mod key;
pub(crate) mod password;
pub(crate) mod reason;
pub(crate) mod reference;
pub(crate) mod secret;

pub(crate) use ending::{Ended, Ending};
pub(crate) use key::SessionKey;
pub(crate) use password::Password;
pub use reason::Reason;
pub(crate) use secret::SessionSecret;

/// By what a person or program was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mechanism {
    /// A client certificate, shown in the TLS handshake.
    Certificate,
    /// Kerberos, by `Authorization: Negotiate` (RFC 4559).
    Negotiate,
    /// NTLM version 2 (MS-NLMP), verified by winbind.
    Ntlm,
    /// Name and password, by HTTP Basic authentication at a front (RFC 7617).
    Basic,
    /// Name and password, given to the core itself.
    Password,
    /// A peer that may vouch for users named them.
    Trusted,
    /// The uid of a program on the same host is the proof (`allow_local_users`).
    Unix,
}

impl Mechanism {
    /// Whether a front proves people by it, and hands the proof to the core.
    pub(crate) const fn proves(self) -> bool {
        matches!(self, Self::Certificate | Self::Negotiate | Self::Ntlm)
    }

    /// The word in configuration, headers, metrics and audit lines.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Negotiate => "negotiate",
            Self::Ntlm => "ntlm",
            Self::Basic => "basic",
            Self::Password => "password",
            Self::Trusted => "trusted",
            Self::Unix => "unix",
        }
    }
}

/// An account, as its verifier names it: a domain controller in the PAC of a
/// ticket, or winbind. What the client wrote counts for nothing beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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

/// What a front has proven about a client, as it travels to the core.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
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
    /// By certificate: the SHA-256 of its SubjectPublicKeyInfo, `AB:CD:…`. The core
    /// knows as whom the key signs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Whether the proof is bound to the client's TLS channel (RFC 5929).
    pub channel_bound: bool,
    /// When the ticket or the certificate ends: no session outlives it.
    pub ends_at: Option<Timestamp>,
    /// Group SIDs from the ticket's authenticated PAC (MS-PAC 2.5).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
}

/// `POST /v1/sessions`: exactly one of `proof`, `user` with `trusted`, `user` with
/// `password`, or the caller's own `user`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenSession {
    /// What a front has proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Whom the caller names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The caller vouches for `user`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trusted: bool,
    /// The password of `user`. Whoever sends one has it checked, also a peer that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// The password came to a front by HTTP Basic authentication.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub basic: bool,
    /// As whom the session shall be, if as somebody else: for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act_as: Option<String>,
    /// The client's network address, as the front sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The secret that the new session shall have, beside `proof` or a `basic`
    /// password: a front makes it of the cookie's secret and of the origin that
    /// the cookie is for. Without it the core makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SessionSecret>,
}

/// Who a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct User {
    /// The login name, stripped and canonical: `john`.
    pub login: String,
    /// The full name; empty when the directory has none.
    pub name: String,
    /// The mail address; empty when the directory has none.
    pub email: String,
    /// The tenant; empty outside multi-tenancy.
    pub company: String,
    /// Group names, and SIDs (`S-1-5-…`) where only those are known.
    pub groups: Vec<String>,
    /// 0 none, 1 administrator of the own company, 2 of the system (ZCP manual 6.2.6).
    pub admin: u8,
}

/// The answer to opening or resolving a session.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The session's secret id: the bearer's proof.
    pub session: SessionSecret,
    /// Whose it is.
    pub user: Arc<User>,
    /// How its owner was proven.
    pub mechanism: Mechanism,
    /// The principal as it was proven.
    pub principal: String,
    /// By password: the name as it was typed. Forgotten when the core restarts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<String>,
    /// The key that opened it, as in [`Proof`]: it counts only where its holder shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// Whether the proof was bound to a TLS channel.
    pub channel_bound: bool,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The only address it may be used from, under `session_ip_check`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_from: Option<IpAddr>,
    /// The node that is home to the user.
    pub home_server: String,
    /// Where to go instead, on the wrong node.
    pub redirect: Option<String>,
}

/// The secret id is never shown; its key is enough to follow a session.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("key", &self.session)
            .field("login", &self.user.login)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// `GET /v1/whoami`: who the core takes the caller for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whoami {
    /// `unix`, `certificate` or `anonymous`.
    pub peer: String,
    /// The peer's uid, on the unix socket.
    pub uid: Option<u32>,
    /// The file in `sslkeys_path` that holds the peer's key.
    pub key: Option<String>,
    /// `SYSTEM`, `FRONT`, the peer's own account, those its key may act as, or nobody.
    #[serde(rename = "as")]
    pub acting_as: Option<String>,
}

/// `POST /v1/sign-ons`: several sign-ons for one round trip and one write to the disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SignOns {
    /// Each as `POST /v1/sessions` would take it.
    pub proofs: Vec<OpenSession>,
}

/// The answer to [`SignOns`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SignOnAnswers {
    /// One for each proof, in order.
    pub answers: Vec<SignOnAnswer>,
}

/// What became of one of several sign-ons.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum SignOnAnswer {
    /// A session was opened.
    Granted(Session),
    /// It was not.
    Refused(ErrorBody),
}

/// What `GET /v1/events` tells, one JSON object an event (`event: session`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The stream stands: whatever was cached before may have missed events.
    Hello,
    /// A session has ended. `id` is the SHA-256 of the session's secret, in hex.
    SessionEnded {
        /// SHA-256 of the secret id, lower-case hex on the wire.
        id: SessionKey,
    },
}

/// Every refusal of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A stable word: `logon_failed`, `end_of_session`, `no_access`, `certificate_refused`, `bad_request`, `too_large`, `not_found`, `busy`, `too_many_attempts`, `kdc_unreachable`, `kdc_unproven`, `store_full`, `store_failed`, `audit_failed`.
    pub error: String,
    /// What was wrong and what to do, in a sentence.
    pub message: String,
    /// Stands in the core's log beside the whole story.
    pub reference: String,
    /// Why, told only to peers that proved the identity themselves (fronts), and
    /// to those whose own certificate is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why and when the session ended that was asked for, where that is still known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

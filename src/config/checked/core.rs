//! The settings of the core.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use ipnet::IpNet;

use super::{AuthorityFiles, CertificateFiles};
use crate::clock::Timestamp;
use crate::wire::LoginId;

/// `[core]`
#[derive(Clone, Debug)]
pub(crate) struct Core {
    /// The unix socket.
    pub listen: PathBuf,
    /// TLS listeners, and by what peers are judged there; `None`: there are none.
    pub tls: Option<CoreTls>,
    /// Folder with the public keys of peers, and of users who sign on by certificate.
    pub sslkeys_path: PathBuf,
    /// What the holders of some of these keys may do.
    pub keys: Vec<CoreKey>,
    /// Whether the holders of all other keys are SYSTEM; otherwise they are refused.
    pub keys_without_entry_are_system: bool,
    /// Names, numeric uids or `@group`s of those who are SYSTEM, as written.
    pub local_admin_users: Vec<String>,
    /// Names, numeric uids or `@group`s that may act as a front, as written.
    pub front_users: Vec<String>,
    /// Whether a local account may open a session for itself without a password.
    pub allow_local_users: bool,
    /// A session unused for so long ends.
    pub session_timeout: Duration,
    /// A session ends after this, used or not.
    pub session_lifetime: Duration,
    /// A session whose id never came back ends after this.
    pub session_unclaimed: Duration,
    /// Maximum number of sessions of one user; a new one replaces the one that was unused for longest.
    pub max_sessions_per_user: usize,
    /// Whether a session may be used only from the address that opened it.
    pub session_ip_check: bool,
    /// Limits of passwords.
    pub passwords: Passwords,
    /// Realms whose people may come in; empty: the keytab's own.
    pub realms: Vec<Realm>,
    /// Explicit mappings from principal to login name.
    pub altnames: Vec<(String, String)>,
}

/// `core.password_…`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Passwords {
    /// Wrong passwords of one address within the window.
    pub attempts_per_address: u32,
    /// Wrong passwords for one account within the window.
    pub attempts_per_account: u32,
    /// The window.
    pub attempts_window: Duration,
    /// A right password is remembered for so long; zero: not at all.
    pub cache: Duration,
}

/// `core.listen_tls`, and what belongs to it.
#[derive(Clone, Debug)]
pub(crate) struct CoreTls {
    /// Where it listens.
    pub listen: Vec<SocketAddr>,
    /// Key and certificate of the core.
    pub certificate: CertificateFiles,
    /// Authorities of peers' certificates.
    pub authorities: AuthorityFiles,
}

/// `[[core.key]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CoreKey {
    /// The name of the file in `sslkeys_path`.
    pub file: String,
    /// What its holder may do.
    pub rights: KeyRights,
    /// Networks it may come from; empty: from everywhere.
    pub from: Vec<IpNet>,
    /// When it ceases to count.
    pub not_after: Option<Timestamp>,
}

/// What the holder of a key may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyRights {
    /// Everything.
    System,
    /// What a front may.
    Front,
    /// Vouch for these.
    Service(Vec<ActAs>),
}

/// One word of `key.act_as`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActAs {
    /// `SYSTEM`: everything, for everybody.
    System,
    /// `*`: any user.
    Anybody,
    /// The user of this login who is of no tenant.
    User(LoginId),
    /// `company:NAME`: the users of a tenant.
    Company(String),
}

impl fmt::Display for ActAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("SYSTEM"),
            Self::Anybody => f.write_str("*"),
            Self::User(who) => who.fmt(f),
            Self::Company(name) => write!(f, "company:{name}"),
        }
    }
}

/// `[[core.realm]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Realm {
    /// Kerberos realm.
    pub realm: String,
    /// NTLM domain; empty where there is none.
    pub domain: String,
    /// What becomes of the realm or domain in the login name.
    pub strip: Strip,
    /// Tenant of this realm's users.
    pub company: String,
    /// Whether `John` and `john` are two people in this realm (never in Active Directory).
    pub case_sensitive: bool,
}

/// `realm.strip`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strip {
    /// The name is kept whole: `john@ADSDOMAIN.EXAMPLE`.
    Keep,
    /// Exactly the listed realm or domain is taken off.
    Exact,
    /// Everything from the first `@` (ZCP's LOGINNAME_STRIP_DOMAIN); a backslash stays.
    Zcp,
    /// Everything up to the last backslash, else from the first `@` (Kopano WebApp).
    Kopano,
}

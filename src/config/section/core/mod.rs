//! `[core]`

mod altnames;
mod key;
mod realm;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use self::altnames::Altnames;
use self::key::WithoutEntry;
pub(crate) use self::key::{ActAs, CoreKey, KeyRights};
pub(super) use self::realm::is_place;
pub(crate) use self::tls::CoreTls;
use super::core_address::CoreAddress;
use crate::config::reading::{Diagnostics, Located, section};
use crate::config::surroundings::Surroundings;
use crate::config::value_types::{Account, Addresses, SecretText};
use crate::identity::Realm;

section! {
    /// `[core]`
    Written {
        listen: CoreAddress = r#""unix:/run/doorward/core.sock""#, Restart, "The core's socket.";
        listen_tls: Addresses = r#""""#, Restart, "Addresses of the core's TLS listener; empty: none.";
        server_ssl_key_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the private key of the core's TLS.";
        server_ssl_cert_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the core's certificate and chain; empty: they are in the key file.";
        server_ssl_key_pass: SecretText = r#""""#, Reload, "Passphrase of the core's private key.";
        server_ssl_key_pass_file: Option<PathBuf> = r#""""#, Reload, "File with the passphrase of the core's private key.";
        server_ssl_ca_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the authorities of peers' certificates.";
        server_ssl_ca_path: Option<PathBuf> = r#""""#, Reload, "Folder of such PEM files.";
        crl_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the lists of revoked certificates of these authorities; empty: revocation is not checked.";
        sslkeys_path: PathBuf = r#""/etc/doorward/sslkeys""#, Reload, "Folder with the public keys of peers, and of users who sign on by certificate.";
        key: Vec<Located<key::Written>> = "[]", Section, "What the holder of a key in sslkeys_path may do.";
        keys_without_entry: Option<WithoutEntry> = r#""""#, Reload, "What a key without [[core.key]] may do; empty: \"system\", and \"refuse\" as soon as there is any [[core.key]].";
        local_admin_users: Vec<Located<Account>> = r#"["root"]"#, Reload, "Local accounts that may do everything (SYSTEM).";
        front_users: Vec<Located<Account>> = "[]", Reload, "Local accounts that may act as a front.";
        allow_local_users: bool = "true", Reload, "Whether a local account may open a session for itself without a password.";
        session_timeout: Duration = r#""300s""#, Reload, "A session ends if it is not used for this time.";
        session_lifetime: Duration = r#""10h""#, Reload, "A session ends after this time, used or not.";
        session_unclaimed: Duration = r#""120s""#, Reload, "A session ends after this time if its cookie never came back.";
        max_sessions_per_user: usize = "20000", Reload, "Maximum number of sessions of one user; a new one replaces the one that was unused for longest.";
        session_ip_check: bool = "false", Reload, "Whether a session may be used only from the address that opened it.";
        password_attempts_per_address: usize = "50", Reload, "Maximum number of wrong passwords from one address within password_attempts_window.";
        password_attempts_per_account: usize = "10", Reload, "Maximum number of wrong passwords for one account within password_attempts_window.";
        password_attempts_window: Duration = r#""10m""#, Reload, "Time after which a wrong password is forgotten.";
        password_cache: Duration = r#""60s""#, Reload, "How long a right password is cached, so that the KDC is not asked again; \"0s\": not at all.";
        realm: Vec<Located<realm::Written>> = "[]", Section, "A realm or domain whose users may come in.";
        altnames: Altnames = "{}", Reload, "Principals with an explicit login name; they come before all other rules.";
    }
    absent {
        enable_hosted: bool = "false", Refused, "Tenants.";
        enable_distributed: bool = "false", Refused, "Several nodes.";
        loginname_format: String = r#""%u""#, Refused, "What login names look like with tenants.";
        storename_format: String = r#""%f""#, Ignored, "What display names look like.";
        user_plugin: String = r#""realm""#, Refused, "Where users are looked up: everybody from an allowed realm is a user.";
        session_store: String = r#""sqlite""#, Refused, "Where sessions are kept.";
    }
}

/// `[core]`
#[derive(Clone, Debug)]
pub(crate) struct Core {
    /// The unix socket.
    pub listen: PathBuf,
    /// TLS listeners, and by what peers are judged there; `None`: there are none.
    pub tls: Option<CoreTls>,
    pub sslkeys_path: PathBuf,
    /// What the holders of some of these keys may do.
    pub keys: Vec<CoreKey>,
    /// Whether the holders of all other keys are SYSTEM; otherwise they are refused.
    pub keys_without_entry_are_system: bool,
    /// Names, numeric uids or `@group`s of those who are SYSTEM, as written.
    pub local_admin_users: Vec<String>,
    /// Names, numeric uids or `@group`s that may act as a front, as written.
    pub front_users: Vec<String>,
    pub allow_local_users: bool,
    pub session_timeout: Duration,
    pub session_lifetime: Duration,
    pub session_unclaimed: Duration,
    pub max_sessions_per_user: usize,
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
    pub attempts_per_address: u32,
    pub attempts_per_account: u32,
    pub attempts_window: Duration,
    /// A right password is remembered for so long; zero: not at all.
    pub cache: Duration,
}

pub(super) fn check(
    written: &Written,
    listen: PathBuf,
    surroundings: &Surroundings,
    diagnostics: &mut Diagnostics<'_>,
) -> Core {
    let second = Duration::from_secs(1);
    written.session_timeout.within(&SHORTEST_SESSION, &Duration::MAX, diagnostics);
    written.session_lifetime.within(&SHORTEST_SESSION, &Duration::MAX, diagnostics);
    written.session_unclaimed.within(&second, &Duration::MAX, diagnostics);
    written.max_sessions_per_user.within(&1, &usize::MAX, diagnostics);
    Core {
        listen,
        tls: tls::check(written, surroundings, diagnostics),
        sslkeys_path: written.sslkeys_path.value.clone(),
        keys: key::check(&written.key, diagnostics),
        keys_without_entry_are_system: key::without_entry_are_system(written),
        local_admin_users: accounts(&written.local_admin_users),
        front_users: accounts(&written.front_users),
        allow_local_users: written.allow_local_users.value,
        session_timeout: written.session_timeout.value,
        session_lifetime: written.session_lifetime.value,
        session_unclaimed: written.session_unclaimed.value,
        max_sessions_per_user: written.max_sessions_per_user.value,
        session_ip_check: written.session_ip_check.value,
        passwords: passwords(written, diagnostics),
        realms: realm::check(&written.realm, diagnostics),
        altnames: written.altnames.0.clone(),
    }
}

fn passwords(written: &Written, diagnostics: &mut Diagnostics<'_>) -> Passwords {
    // What does not fit is complained of already.
    let small = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let (second, hour) = (Duration::from_secs(1), Duration::from_secs(60 * 60));
    written.password_attempts_per_address.within(&1, &1_000_000, diagnostics);
    written.password_attempts_per_account.within(&1, &1_000_000, diagnostics);
    written.password_attempts_window.within(&second, &(24 * hour), diagnostics);
    written.password_cache.within(&Duration::ZERO, &hour, diagnostics);
    Passwords {
        attempts_per_address: small(written.password_attempts_per_address.value),
        attempts_per_account: small(written.password_attempts_per_account.value),
        attempts_window: written.password_attempts_window.value,
        cache: written.password_cache.value,
    }
}

fn accounts(list: &[Located<Account>]) -> Vec<String> {
    list.iter().map(|given| given.0.clone()).collect()
}

/// Shorter than this, a person would sign on at every click.
const SHORTEST_SESSION: Duration = Duration::from_secs(10);

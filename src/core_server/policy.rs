//! The settings that decide.

use std::sync::Arc;
use std::time::Duration;

use super::password::PasswordRules;
use crate::clock;
use crate::config::CoreSettings;
use crate::core_server::peer::accounts::PeerRules;
use crate::core_server::peer::keys::{EntryError, KeyRules};
use crate::identity::Rules;
use crate::krb5::keytab;

/// How long sessions live, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Limits {
    /// A session unused for so long ends.
    pub(in crate::core_server) timeout: Duration,
    /// A session whose secret never came back ends after this.
    pub(in crate::core_server) unclaimed: Duration,
    /// No session lives longer than this.
    pub(in crate::core_server) lifetime: Duration,
    /// Sessions of one user at once; 0 counts as 1.
    pub(in crate::core_server) per_user: usize,
}

/// The settings that decide; swapped as a whole at a reload.
#[derive(Debug)]
pub(super) struct Policy {
    pub(super) peers: Arc<PeerRules>,
    pub(super) keys: Arc<KeyRules>,
    pub(super) identity: Rules,
    pub(super) limits: Limits,
    pub(super) lifetime: Duration,
    pub(super) ip_check: bool,
    pub(super) server_name: String,
    pub(super) passwords: PasswordRules,
}

impl Policy {
    /// # Errors
    /// A `[[core.key]]` is about no key.
    pub(super) fn new(settings: &CoreSettings) -> Result<Self, EntryError> {
        let core = &settings.core;
        let held = held_realms(settings);
        // Without any [[core.realm]] the keytab's realms are allowed in trusted names.
        let own = if core.realms.is_empty() { held.clone() } else { Vec::new() };
        Ok(Self {
            peers: Arc::new(PeerRules::new(
                &core.local_admin_users,
                &core.front_users,
                core.allow_local_users,
            )),
            keys: Arc::new(KeyRules::new(core, clock::now())?),
            identity: Rules::new(&core.realms, &core.altnames, own)
                .naming(settings.kerberos.user_name, settings.kerberos.allow_computers),
            passwords: PasswordRules::new(settings, &held),
            limits: Limits {
                timeout: core.session_timeout,
                unclaimed: core.session_unclaimed,
                lifetime: core.session_lifetime,
                per_user: core.max_sessions_per_user,
            },
            lifetime: core.session_lifetime,
            ip_check: core.session_ip_check,
            server_name: settings.server_name.clone(),
        })
    }
}

/// The realms of the keytab, for what the settings leave open: which realms people
/// are of, and which one is meant by a name without one. A core without front may
/// have no keytab.
fn held_realms(settings: &CoreSettings) -> Vec<String> {
    match keytab::read(&settings.kerberos.keytab) {
        Ok(keytab) => keytab.realms().into_iter().map(str::to_owned).collect(),
        Err(error) => {
            if settings.core.realms.is_empty() {
                tracing::info!(%error, "without [[core.realm]] and keytab, trusted names must have no realm");
            }
            Vec::new()
        }
    }
}

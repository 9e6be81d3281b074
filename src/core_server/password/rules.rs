//! The settings that decide on passwords.

use std::time::Duration;

use super::bucket::Allowance;
use super::limits::Allowances;
use crate::config::CoreSettings;
use crate::krb5::kdc::Prover;

/// The settings that decide on passwords.
#[derive(Debug)]
pub(in crate::core_server) struct PasswordRules {
    pub(super) allowances: Allowances,
    pub(super) remember: Duration,
    pub(super) prover: Prover,
    pub(super) default_realm: Option<String>,
}

impl PasswordRules {
    /// From the settings. Names without a realm are of the keytab's only one
    /// (`held`), else of the only one that is configured.
    pub(in crate::core_server) fn new(settings: &CoreSettings, held: &[String]) -> Self {
        let (passwords, kerberos) = (&settings.core.passwords, &settings.kerberos);
        let allowance = |attempts| Allowance { attempts, window: passwords.attempts_window };
        let configured = settings.core.realms.iter().map(|realm| realm.realm.as_str());
        let configured: Vec<&str> = configured.filter(|realm| !realm.is_empty()).collect();
        let default_realm = match (held, configured.as_slice()) {
            ([only], _) => Some(only.clone()),
            (_, [only]) => Some((*only).to_owned()),
            _ => None,
        };
        Self {
            allowances: Allowances {
                origin: allowance(passwords.attempts_per_address),
                account: allowance(passwords.attempts_per_account),
            },
            remember: passwords.cache,
            prover: Prover {
                keytab: kerberos.keytab.clone(),
                service: kerberos.acceptor.clone(),
                realms_without_pac: kerberos.realms_without_pac.clone(),
            },
            default_realm,
        }
    }
}

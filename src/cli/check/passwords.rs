//! Whether the KDCs answer that would judge passwords.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::finding::Finding;
use crate::config::Settings;
use crate::kdc;
use crate::keytab;

/// A line for each realm whose passwords may be sent here. Kerberos and NTLM go
/// on without a KDC, so none of them fails the check.
pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    realms(settings).into_iter().map(|realm| answers(&realm)).collect()
}

/// The configured realms; without them, those of the keytab.
fn realms(settings: &Settings) -> Vec<String> {
    let configured = settings.core.realms.iter().map(|realm| realm.realm.clone());
    let configured: Vec<String> = configured.filter(|realm| !realm.is_empty()).collect();
    if !settings.core.realms.is_empty() {
        return configured;
    }
    // Why a keytab cannot be read is told by another line.
    let keytab = keytab::read(&settings.sso.kerberos.keytab).ok();
    let held = keytab.as_ref().map(keytab::Keytab::realms).unwrap_or_default();
    held.into_iter().map(str::to_owned).collect()
}

/// Asks on a thread of its own, which is left behind when the library waits too long.
fn answers(realm: &str) -> Finding {
    let (told, hear) = mpsc::channel();
    let asked = realm.to_owned();
    let thread = thread::Builder::new().spawn(move || told.send(kdc::probe(&asked)));
    let answer = match thread {
        Ok(_) => hear.recv_timeout(PATIENCE).map_err(|_| "no answer within ten seconds".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    let said = match answer {
        Ok(Ok(())) => return Finding::ok("kdc", format!("a KDC of {realm} answers")),
        Ok(Err(refused)) => refused.detail,
        Err(said) => said,
    };
    let found = format!("passwords of {realm} cannot be checked: {said}");
    Finding::warn(
        "kdc",
        found,
        "let krb5.conf ([realms] kdc) or DNS name a domain controller, and let it be reached on port 88",
    )
}

const PATIENCE: Duration = Duration::from_secs(10);

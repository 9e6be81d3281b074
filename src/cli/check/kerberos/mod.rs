//! Kerberos: the keytab, the library, and what the KDC says to both.

use std::path::Path;

use self::holders::Holders;
use super::network::names;
use super::report::Finding;
use crate::advice::kerberos as advice;
use crate::config::Settings;
use crate::krb5::keytab::Keytab;
use crate::mechanism::kerberos::Pool;

mod holders;
mod kdc;
mod keytab;
mod krb5_conf;
mod realms;
mod services;
mod ticket;

pub(super) use holders::Callers;

pub(super) fn check(settings: &Settings, callers: &Callers) -> Vec<Finding> {
    if !settings.sso.enable_sso {
        let found = "enable_sso is off: nobody can sign on";
        return vec![Finding::warn("kerberos", found, advice::ENABLE)];
    }
    let (keytab, mut findings) = keytab::check(settings);
    findings.push(krb5_conf::check());
    // All else would fail for the one reason that was told.
    if findings.last().is_some_and(Finding::failed) {
        return findings;
    }
    let realms = realms::concerned(settings, keytab.as_ref());
    let kdcs = kdc::ask(&realms);
    findings.extend(kdc::findings(&kdcs));
    findings.extend(realms::check(settings, keytab.as_ref(), &kdcs));
    if let Some(keytab) = keytab {
        findings.extend(services(settings, &keytab, &kdcs, callers));
        findings.push(library(settings));
    }
    findings
}

/// Whether a KDC's clock agrees with this host's. `None`: none says.
pub(super) fn clock_is_right(settings: &Settings) -> Option<bool> {
    let (keytab, _) = keytab::check(settings);
    let kdcs = kdc::ask(&realms::concerned(settings, keytab.as_ref()));
    let mut answering = kdcs.iter().filter(|kdc| kdc.answering().is_some()).peekable();
    answering.peek()?;
    Some(answering.any(|kdc| kdc.on_time().is_some()))
}

/// Each service that tickets are asked for, by the realm's own word where it gives one.
fn services(
    settings: &Settings,
    keytab: &Keytab,
    kdcs: &[kdc::Kdc],
    callers: &Callers,
) -> Vec<Finding> {
    let path: &Path = &settings.sso.kerberos.keytab;
    let wanted = services::wanted(settings, keytab);
    let answering: Vec<&str> = kdcs.iter().filter_map(kdc::Kdc::answering).collect();
    // A KDC gives no ticket to a clock that is wrong.
    let on_time: Vec<&str> = kdcs.iter().filter_map(kdc::Kdc::on_time).collect();
    let holders = Holders::gather(callers, keytab, path, &on_time);
    let mut findings: Vec<_> =
        holders.refused.iter().map(|refused| ticket::own_key_refused(refused, keytab)).collect();
    let heard = services::ask(&wanted, path, &answering, &holders);
    findings.extend(
        wanted
            .iter()
            .zip(&heard)
            .map(|(service, heard)| ticket::finding_on(service, heard, keytab)),
    );
    if heard.iter().any(services::Heard::lacks_ticket) {
        findings.push(ticket::not_compared());
    }
    findings
}

fn library(settings: &Settings) -> Finding {
    let replay_cache = settings.state_path.join("replay-cache");
    match Pool::rehearse(&settings.sso.kerberos, &replay_cache) {
        Ok(()) => Finding::ok("kerberos", "the library accepts the keytab"),
        Err((reason, detail)) => {
            Finding::fail("kerberos", format!("the library refuses: {detail}"), reason.sentence())
        }
    }
}

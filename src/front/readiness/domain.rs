//! What the domain says, asked about once a minute: whether a KDC answers if passwords are
//! accepted, what time it has, and for which names it issues tickets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::Readiness;
use super::clock::Clock;
use super::state::{Part, State};
use crate::advice::kdc as advice;
use crate::clock::{self, pause};
use crate::config::FrontSettings;
use crate::krb5::kdc;
use crate::krb5::kdc::ask::Known;
use crate::krb5::keytab::{self, Keytab};
use crate::wire::{Mechanism, Reason};

/// See the module. Nothing is known at first.
#[derive(Debug, Default)]
pub(super) struct Domain {
    /// This gateway's clock beside the KDC's.
    pub(super) clock: Option<Clock>,
    /// Hosts whose service name the domain does not know.
    pub(super) unknown: BTreeSet<String>,
    /// Why no password can be checked.
    kdc: Option<State>,
}

impl Domain {
    /// What it means for sign-ons; nothing of what was not asked.
    pub(super) fn parts(&self) -> Vec<(Part, State)> {
        let mut parts = Vec::new();
        if let Some(clock) = self.clock {
            parts.push((Part::Clock, of_clock(clock)));
        }
        if self.kdc.is_some() || !self.unknown.is_empty() {
            let unknown = self.unknown.iter().map(|host| State::notice(of_name(host)));
            let kdc = self.kdc.clone().unwrap_or_default();
            parts.push((Part::Kdc, unknown.fold(kdc, State::and)));
        }
        parts
    }

    fn ails(&self) -> bool {
        self.parts().iter().any(|(_, state)| *state != State::OK)
    }
}

fn of_name(host: &str) -> String {
    format!(
        "the domain issues no ticket for HTTP/{host}, which is in the keytab: the name is on no \
         account, or on two (setspn -Q HTTP/{host}); register it (setspn -S), or remove it from \
         all accounts but the keytab's (setspn -D)"
    )
}

fn of_clock(clock: Clock) -> State {
    let said = format!("the clock of this host is {clock} the domain controller's");
    if clock.keeps_everybody_out() {
        return State::broken(format!(
            "{said}, so nobody can sign on with a ticket: {}",
            advice::CLOCK
        ));
    }
    if clock.is_wrong() {
        return State::notice(format!("{said}: {}", advice::CLOCK));
    }
    State::OK
}

/// Asks again and again. While something is wrong, more often.
pub(super) async fn watch(readiness: &Readiness) {
    loop {
        let settings = readiness.live.load().settings.clone();
        let asked = spawn_blocking(move || ask(&settings)).await;
        let ails = asked.as_ref().is_ok_and(Domain::ails);
        if let Ok(domain) = asked {
            readiness.domain.store(Arc::new(domain));
            readiness.look_again().await;
        }
        pause(if ails { AILING } else { EVERY }).await;
    }
}

/// Blocks for as long as the library waits for a KDC.
fn ask(settings: &FrontSettings) -> Domain {
    let names = keytab::read_what_is_whole(&settings.sso.kerberos.keytab).ok();
    let keytab = names.map(|whole| whole.keytab);
    let own: Vec<_> =
        keytab.iter().flat_map(Keytab::realms).filter(|realm| !realm.is_empty()).collect();
    let clock = own.iter().take(REALMS).find_map(|realm| {
        let theirs = kdc::ask::clock(realm).ok()?;
        Some(Clock::compare(clock::now(), theirs))
    });
    // A KDC that does not answer would be waited for again with each name.
    let unknown = match (&keytab, clock) {
        (Some(keytab), Some(_)) => unknown(keytab),
        _ => BTreeSet::new(),
    };
    let kdc = settings.offers(Mechanism::Basic).then(|| {
        settings.realms.iter().fold(State::OK, |state, realm| {
            let answered = kdc::ask::clock(realm);
            let no = answered.err().filter(|no| no.reason == Reason::KdcUnreachable);
            state.and(no.map_or(State::OK, |no| {
                State::broken(format!("no password can be checked: {}", no.detail))
            }))
        })
    });
    Domain { clock, unknown, kdc }
}

/// The hosts of web services in the keytab that the domain issues no tickets for.
fn unknown(keytab: &Keytab) -> BTreeSet<String> {
    let services = keytab.principals().into_iter().filter(|name| name.starts_with("HTTP/"));
    services
        .take(NAMES)
        .filter_map(|principal| {
            let (service, realm) = principal.rsplit_once('@')?;
            let host = service.strip_prefix("HTTP/")?;
            match kdc::ask::knows(service, realm).ok()? {
                Known::No | Known::Twice => Some(host.to_ascii_lowercase()),
                Known::Yes | Known::Untold => None,
            }
        })
        .collect()
}

/// Strangers' names fill the KDC's log.
const EVERY: Duration = Duration::from_secs(300);
const AILING: Duration = Duration::from_secs(30);
/// Realms and names that are asked for at most.
const REALMS: usize = 4;
const NAMES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;

    #[test]
    fn a_clock_that_is_off_is_told_and_one_that_is_far_off_is_broken() {
        let off = |seconds| {
            let theirs = Timestamp::from_unix(1_000_000);
            of_clock(Clock::compare(theirs.plus(Duration::from_secs(seconds)), theirs))
        };
        assert_eq!(off(30), State::OK);
        assert!(off(90).notices[0].contains("1 min 30 s ahead of the domain controller's"));
        assert!(off(602).broken.unwrap().contains("10 min 02 s ahead of the domain controller's"));
    }
}

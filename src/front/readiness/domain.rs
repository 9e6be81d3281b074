//! What the domain says, asked about once a minute: whether a KDC answers where passwords
//! are taken, what time it is there, and for which names it issues tickets.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;

use super::clock::Clock;
use super::state::{Part, State};
use crate::clock::pause;
use crate::config::checked::Settings;
use crate::front::{Front, offers};
use crate::kdc;
use crate::wire::Mechanism;

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
        let mut parts: Vec<_> = self.kdc.iter().map(|kdc| (Part::Kdc, kdc.clone())).collect();
        if let Some(clock) = self.clock {
            parts.push((Part::Clock, of_clock(clock)));
        }
        parts
    }
}

fn of_clock(clock: Clock) -> State {
    let said = format!("the clock of this host is {clock} the domain controller's");
    if clock.keeps_everybody_out() {
        return State::broken(format!(
            "{said}, so nobody can sign on by a ticket: set it by NTP (timedatectl)"
        ));
    }
    if clock.is_wrong() {
        return State::notice(format!("{said}: set it by NTP (timedatectl)"));
    }
    State::OK
}

/// Asks again and again. While something is wrong, more often.
pub(super) async fn watch(front: Arc<Front>) {
    loop {
        let settings = front.live().settings.clone();
        if let Ok(domain) = spawn_blocking(move || ask(&settings)).await {
            let ails = domain.parts().iter().any(|(_, state)| *state != State::OK);
            front.readiness.domain.store(Arc::new(domain));
            front.readiness.look(&front).await;
            pause(if ails { AILING } else { EVERY }).await;
        } else {
            pause(EVERY).await;
        }
    }
}

fn ask(settings: &Settings) -> Domain {
    let takes_passwords = offers(settings, Mechanism::Basic);
    let kdc = takes_passwords.then(|| {
        settings.core.realms.iter().fold(State::OK, |state, realm| {
            state.and(kdc::probe(&realm.realm).map_or_else(
                |no| State::broken(format!("no password can be checked: {}", no.detail)),
                |()| State::OK,
            ))
        })
    });
    Domain { kdc, ..Domain::default() }
}

const EVERY: Duration = Duration::from_secs(60);
const AILING: Duration = Duration::from_secs(10);

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

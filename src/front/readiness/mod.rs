//! Whether people can sign on now, and if not, how to fix it: for `/ready`, the log and the pages,
//! which say no more than is known here.
//!
//! This host is checked whenever somebody asks (one check at a time, shared by all who ask
//! meanwhile); what other hosts say, about once a minute in the background.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::{Mutex as AsyncMutex, MutexGuard};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

mod certificates;
mod clock;
mod domain;
mod files;
mod report;
mod services;
mod state;
#[cfg(test)]
pub(in crate::front) mod testing;

pub(crate) use clock::Clock;
pub(in crate::front) use report::Report;
pub(in crate::front) use services::Services;
pub(in crate::front) use state::{Part, State};

use super::core_link::CoreLink;
use super::live::Live;
use crate::audit::Audit;
use crate::clock::{self as time, Timestamp};
use crate::config::FrontSettings;
use crate::front::metrics::FrontMetrics;
use crate::krb5::kdc;
use certificates::Ending;
use domain::Domain;

/// What is looked at, what was seen last, and what was said of it.
#[derive(Debug)]
pub(in crate::front) struct Readiness {
    live: Arc<ArcSwap<Live>>,
    core: Arc<CoreLink>,
    metrics: Arc<FrontMetrics>,
    audit: Arc<Audit>,
    seen: ArcSwapOption<Seen>,
    domain: ArcSwap<Domain>,
    looking: AsyncMutex<()>,
    looks_begun: AtomicU64,
    said: Mutex<Said>,
    ntlm_worked: AtomicBool,
}

/// How everything was at one moment.
#[derive(Debug)]
pub(in crate::front) struct Seen {
    /// Which look it was, from 1.
    look: u64,
    parts: BTreeMap<Part, State>,
    services: Option<Services>,
    /// Whether NTLM keeps this gateway from being ready, or is told only.
    ntlm_counts: bool,
}

/// What the log was told already.
#[derive(Debug, Default)]
struct Said {
    broken: BTreeMap<Part, String>,
    notices: BTreeMap<Part, Vec<String>>,
    certificates_at: Option<Timestamp>,
}

impl Readiness {
    /// Of a front that has these; nothing was seen yet.
    pub(super) fn new(
        live: &Arc<ArcSwap<Live>>,
        core: &Arc<CoreLink>,
        metrics: &Arc<FrontMetrics>,
        audit: &Arc<Audit>,
    ) -> Self {
        Self {
            live: Arc::clone(live),
            core: Arc::clone(core),
            metrics: Arc::clone(metrics),
            audit: Arc::clone(audit),
            seen: ArcSwapOption::default(),
            domain: ArcSwap::default(),
            looking: AsyncMutex::default(),
            looks_begun: AtomicU64::default(),
            said: Mutex::default(),
            ntlm_worked: AtomicBool::default(),
        }
    }

    /// What was seen last; `None` in the first moment after the start.
    pub(in crate::front) fn seen(&self) -> Option<Arc<Seen>> {
        self.seen.load_full()
    }

    /// This gateway's clock beside the domain's, where a KDC said what time it is.
    pub(in crate::front) fn clock(&self) -> Option<Clock> {
        self.domain.load().clock
    }

    /// Whether NTLM was ready at any look since the start.
    pub(in crate::front) fn ntlm_worked(&self) -> bool {
        self.ntlm_worked.load(Ordering::Relaxed)
    }

    /// Looks now, unless somebody else begins to meanwhile.
    pub(in crate::front) async fn look(&self) -> Arc<Seen> {
        let begun = self.looks_begun.load(Ordering::SeqCst);
        let alone = self.looking.lock().await;
        // A look that began before we asked may have seen what is not so any more.
        match self.seen() {
            Some(seen) if seen.look > begun => seen,
            _ => self.look_alone(&alone).await,
        }
    }

    /// Looks after something was learnt that nobody can have seen yet.
    async fn look_again(&self) {
        let alone = self.looking.lock().await;
        self.look_alone(&alone).await;
    }

    async fn look_alone(&self, _: &MutexGuard<'_, ()>) -> Arc<Seen> {
        let look = self.looks_begun.fetch_add(1, Ordering::SeqCst) + 1;
        let live = self.live.load_full();
        let domain = self.domain.load_full();
        let (here, core) = tokio::join!(here(&live.settings), self.core.ready());
        let mut parts = here.parts;
        let core = core.err().map_or(State::OK, |no| State::broken(no.detail));
        parts.insert(Part::Core, core);
        if let Err(fault) = self.audit.ready() {
            parts.insert(Part::Audit, State::broken(fault));
        }
        if let Some(ntlm) = ntlm(&live) {
            self.ntlm_worked.fetch_or(ntlm.broken.is_none(), Ordering::Relaxed);
            parts.insert(Part::Ntlm, ntlm);
        }
        for (part, state) in domain.parts() {
            parts.insert(part, state);
        }
        let services = here.services.map(|names| names.without(domain.unknown.iter().cloned()));
        let ntlm_counts = !live.settings.sso.mechanisms_by_default;
        let seen = Arc::new(Seen { look, parts, services, ntlm_counts });
        self.seen.store(Some(Arc::clone(&seen)));
        self.show(&seen, &here.endings);
        self.tell(&seen, time::now());
        seen
    }

    /// The metrics.
    fn show(&self, seen: &Seen, endings: &[Ending]) {
        let metrics = &self.metrics;
        metrics.ready.set(seen.is_ready().into());
        for (part, state) in &seen.parts {
            metrics.part_is_ready(part.label(), state.broken.is_none());
        }
        for Ending { kind, file, ends_at, .. } in endings {
            metrics.certificate_ends(kind.label(), file, *ends_at);
        }
        if let Some(clock) = self.clock() {
            metrics.clock_ahead.set(clock.seconds());
        }
    }

    /// Tells the log what has changed: each fault once, and certificates once a day.
    fn tell(&self, seen: &Seen, now: Timestamp) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        let a_day_later = said.certificates_at.is_none_or(|at| at.until(now) >= DAILY);
        if a_day_later {
            said.certificates_at = Some(now);
            said.broken.remove(&Part::Certificates);
            said.notices.remove(&Part::Certificates);
        }
        for (part, state) in &seen.parts {
            // Its own probe tells of NTLM.
            if *part == Part::Ntlm {
                continue;
            }
            match (said.broken.get(part), &state.broken) {
                (Some(before), Some(now)) if state::same_story(before, now) => {}
                (_, Some(now)) => {
                    tracing::error!(event = "not_ready", %part, "{now}");
                    said.broken.insert(*part, now.clone());
                }
                (Some(_), None) => {
                    tracing::info!(event = "ready_again", %part, "{part}: all right again");
                    said.broken.remove(part);
                }
                (None, None) => {}
            }
            let known = said.notices.entry(*part).or_default();
            for notice in &state.notices {
                if !known.iter().any(|before| state::same_story(before, notice)) {
                    tracing::warn!(event = "notice", %part, "{notice}");
                }
            }
            known.clone_from(&state.notices);
        }
    }
}

impl Seen {
    /// Whether a sign-on could succeed.
    pub(in crate::front) fn is_ready(&self) -> bool {
        self.parts.iter().all(|(part, state)| {
            state.broken.is_none() || (*part == Part::Ntlm && !self.ntlm_counts)
        })
    }

    /// For which names there are keys; `None` where the keytab cannot be read.
    pub(in crate::front) fn services(&self) -> Option<&Services> {
        self.services.as_ref()
    }
}

/// Looks again and again, without an end. The first look tells the log what is broken
/// from the start.
pub(in crate::front) async fn watch(readiness: Arc<Readiness>) {
    let looking = async {
        loop {
            readiness.look().await;
            time::pause(EVERY).await;
        }
    };
    tokio::join!(domain::watch(&readiness), looking);
}

/// What this host has.
struct Here {
    parts: BTreeMap<Part, State>,
    services: Option<Services>,
    endings: Vec<Ending>,
}

async fn here(settings: &FrontSettings) -> Here {
    let settings = settings.clone();
    let looked = timeout(PATIENCE, spawn_blocking(move || look_here(&settings))).await;
    looked.ok().and_then(Result::ok).unwrap_or_else(|| {
        let stuck = State::broken(format!(
            "the files of this gateway cannot be read within {} s: does a disk or a network file \
             system hang?",
            PATIENCE.as_secs()
        ));
        Here { parts: [(Part::Disk, stuck)].into(), services: None, endings: Vec::new() }
    })
}

fn look_here(settings: &FrontSettings) -> Here {
    let state_path = &settings.state_path;
    let (keytab, services) = files::keytab(&settings.sso.kerberos);
    let endings = certificates::all(settings);
    let kerberos = match kdc::configuration() {
        Err(refused) => State::broken(refused.detail),
        Ok(()) => kdc::profile_fault()
            .filter(kdc::ProfileFault::is_ignored)
            .map_or(State::OK, |fault| State::notice(fault.to_string())),
    };
    let parts = [
        (Part::Keytab, keytab),
        (Part::Kerberos, kerberos),
        (Part::Disk, files::room(state_path, "state_path")),
        (Part::ReplayCache, files::replay_cache(&state_path.join("replay-cache"))),
        (Part::Audit, files::audit(&settings.audit)),
        (Part::Certificates, certificates::state_of(&endings, time::now())),
    ];
    Here { parts: parts.into(), services, endings }
}

fn ntlm(live: &Live) -> Option<State> {
    let ready = live.ntlm.as_ref()?.ready();
    Some(ready.err().map_or(State::OK, State::broken))
}

/// How often this host is looked at when nobody asks.
const EVERY: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(3);
const DAILY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(parts: &[(Part, State)], ntlm_counts: bool) -> Seen {
        Seen { look: 1, parts: parts.iter().cloned().collect(), services: None, ntlm_counts }
    }

    #[test]
    fn one_broken_part_is_enough_and_notices_are_none() {
        let notice = (Part::Disk, State::notice("little"));
        assert!(seen(std::slice::from_ref(&notice), true).is_ready());
        assert!(!seen(&[notice, (Part::Clock, State::broken("off"))], true).is_ready());
    }

    #[test]
    fn ntlm_that_nobody_asked_for_may_be_broken() {
        let ntlm = [(Part::Ntlm, State::broken("no winbind"))];
        assert!(seen(&ntlm, false).is_ready());
        assert!(!seen(&ntlm, true).is_ready());
    }
}

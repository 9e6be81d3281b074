//! The pool: running helpers behind one bounded queue.

use std::sync::Arc;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::dialogue::squid;
use super::failure::{Failure, GRANTED, labels};
use super::health::{self, Health, NotReady};
use super::metrics::NtlmMetrics;
use super::values::{Attempt, Logon, Names, Opened};
use super::verifier::Verifier;
use super::winbind::Winbind;
use crate::config::section::{HelperProtocol, Ntlm};
use helpers::Helpers;

pub(super) mod helpers;
mod queue;
mod reservation_timeout;
pub(super) mod supervisor;

/// Verifies NTLM exchanges with helpers that are kept running. Dropping it ends
/// them.
///
/// With `ntlm-server-1` a helper is busy only while it verifies. With
/// `squid-2.5-ntlmssp` it belongs to one exchange from its challenge to its
/// verdict, so whoever opens exchanges and never answers could occupy them all.
/// Therefore a reservation is safe only until somebody else needs the helper: then
/// the oldest one that has lasted longer than clients usually take (at least
/// 100 ms, at most 1 s, learned from those that answer) is given up, and its
/// client, should it still come, is told that it was. The price: under such a
/// storm a client that is much slower than the others has to begin again. What it
/// buys: nobody waits longer than that second, however many exchanges are
/// abandoned. The other protocol has no such choice to make.
#[derive(Debug)]
pub(crate) struct Pool {
    verifier: Arc<Verifier>,
    metrics: Arc<NtlmMetrics>,
    /// Supervisors and the probe; they end with the pool.
    _tasks: JoinSet<()>,
}

impl Pool {
    /// Starts the helpers, and returns before they run. Needs a tokio runtime.
    /// Helpers that end after `stop` are not missed.
    ///
    /// `asked_for`: somebody wrote that NTLM is to be offered, so that a failure is an
    /// error in the log.
    pub(crate) fn start(
        settings: &Ntlm,
        asked_for: bool,
        metrics: Arc<NtlmMetrics>,
        stop: CancellationToken,
    ) -> Self {
        for label in labels() {
            metrics.verdicts(label);
        }
        let settings = Arc::new(settings.clone());
        let verifier = Arc::new(Verifier {
            helpers: Arc::new(Helpers::new(&settings, Arc::clone(&metrics))),
            winbind: Arc::new(Winbind::new(&settings)),
            health: Arc::new(Health::new(asked_for)),
            settings,
        });
        let mut tasks = JoinSet::new();
        for _ in 0..verifier.settings.helpers {
            tasks.spawn(supervisor::supervise(
                Arc::clone(&verifier.settings),
                Arc::clone(&verifier.helpers),
                Arc::clone(&verifier.health),
                stop.clone(),
            ));
        }
        tasks.spawn(health::watch(
            Arc::clone(&verifier.settings),
            Arc::clone(&verifier.helpers),
            Arc::clone(&verifier.winbind),
            Arc::clone(&verifier.health),
        ));
        Self { verifier, metrics, _tasks: tasks }
    }

    /// Whether a sign-on could succeed now.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn ready(&self) -> Result<(), NotReady> {
        self.verifier.health.seen()
    }

    /// Waits until it is known whether a sign-on could succeed.
    pub(crate) async fn known(&self) {
        self.verifier.health.known().await;
    }

    /// Begins an exchange with a client's NEGOTIATE_MESSAGE.
    ///
    /// # Errors
    /// Why it cannot begin.
    pub(crate) async fn open(&self, negotiate: &[u8]) -> Result<Opened, Failure> {
        if self.verifier.settings.helper_protocol == HelperProtocol::NtlmServer1 {
            return Ok(Opened::Names(self.names().await));
        }
        let question = squid::open(negotiate)?;
        let verifier = Arc::clone(&self.verifier);
        let opened = spawn(async move { verifier.reserve(&question).await }).await;
        opened.inspect_err(|failure| self.count(failure))
    }

    /// Verifies what the client answered to its challenge.
    ///
    /// # Errors
    /// Why nobody is signed on.
    pub(crate) async fn verify(&self, attempt: Attempt) -> Result<Logon, Failure> {
        let verifier = Arc::clone(&self.verifier);
        let logon = spawn(async move { verifier.verify(attempt).await }).await;
        match &logon {
            Ok(_) => self.metrics.verdicts(GRANTED).inc(),
            Err(failure) => self.count(failure),
        }
        logon
    }

    /// The domain that winbind belongs to; `None` where it does not say.
    pub(crate) fn own_domain(&self) -> Option<String> {
        self.verifier.winbind.domains().map(|domains| domains.own.netbios.clone())
    }

    async fn names(&self) -> Names {
        let host = nix::unistd::gethostname().unwrap_or_default();
        let dns_computer = host.to_string_lossy().to_lowercase();
        let label = dns_computer.split('.').next().unwrap_or_default();
        let netbios_computer: String = label.to_uppercase().chars().take(NETBIOS_LENGTH).collect();
        let own = self.verifier.winbind.domains_or_ask().await.map(|domains| domains.own.clone());
        Names {
            netbios_domain: own
                .as_ref()
                .map_or_else(|| netbios_computer.clone(), |own| own.netbios.clone()),
            dns_domain: own.and_then(|own| own.dns),
            netbios_computer,
            dns_computer,
        }
    }

    fn count(&self, failure: &Failure) {
        self.metrics.verdicts(failure.label()).inc();
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.verifier.helpers.close();
    }
}

/// To the end, also when the client leaves meanwhile: a dialogue that is broken
/// off costs its helper.
async fn spawn<T: Send + 'static>(
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    tokio::spawn(work).await.unwrap_or_else(|error| Err(Failure::Helper(error.to_string())))
}

/// Characters of a NetBIOS name ([MS-NBTE] section 2.2.1).
const NETBIOS_LENGTH: usize = 15;

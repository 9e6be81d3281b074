//! The front: speaks TCP, TLS and HTTP, finds out who is there, and passes
//! requests on under a proven identity.
//!
//! ```text
//! listen ─▶ connection ─▶ door ─▶ sign_on ─▶ core_link     who is there, and what the core grants
//!                          │  ├──▶ upstream                a granted request goes to its application
//!                          └──┴──▶ answer                  all that the front itself writes
//! ```
//!
//! A room imports only those that stand after it here: `listen`, `door`, `answer`, `sign_on`,
//! `state`, `readiness`, `live`, `upstream`, `core_link`, `request`, `connection`, `tls`, `metrics`.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod answer;
mod connection;
mod core_link;
mod door;
pub(crate) mod listen;
mod live;
pub(crate) mod metrics;
pub(crate) mod readiness;
pub(crate) mod request;
mod sign_on;
mod state;
pub(crate) mod tls;
pub(crate) mod upstream;

use self::core_link::CoreLink;
pub(crate) use self::listen::{Listener, Speaks, bind};
use self::live::{Live, LiveError};
use self::metrics::FrontMetrics;
use self::readiness::Readiness;
use self::request::unlisted::Unlisted;
use self::state::LogLimits;
use crate::audit::Audit;
use crate::config::FrontSettings;
use crate::metrics::Metrics;
use crate::pki::file::write as file;

pub(crate) use self::state::Front;

/// Why a front cannot start, or not take a new configuration.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    /// A socket.
    #[error(transparent)]
    Bind(#[from] listen::BindError),
    /// What is made of the settings.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// Two metrics of one name: a mistake in the code.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The folder of generated keys.
    #[error("state_path {} cannot be made ({source}): make it, and let the gateway's user write to it", path.display())]
    State { path: PathBuf, source: io::Error },
    /// A socket could not be served.
    #[error("a socket cannot be served: {0}")]
    Serve(#[source] io::Error),
}

impl Front {
    /// Begins to serve on sockets that [`listen::bind`] has bound. Where NTLM is
    /// offered while it works, the first client waits until that is known, for a
    /// moment at most.
    ///
    /// # Errors
    /// Anything that is missing: nothing starts half.
    pub(crate) async fn start(
        settings: &FrontSettings,
        listeners: Vec<listen::Listener>,
        counted: Arc<Metrics>,
        audit: Arc<Audit>,
    ) -> Result<Arc<Self>, FrontError> {
        file::folder(&settings.state_path)
            .map_err(|source| FrontError::State { path: settings.state_path.clone(), source })?;
        let stop = CancellationToken::new();
        let metrics = Arc::new(FrontMetrics::register(&counted)?);
        let live = Live::new(settings, &metrics.ntlm, &stop, None)?;
        let live = Arc::new(ArcSwap::from_pointee(live));
        let core = CoreLink::start(settings.front.core.clone(), Arc::clone(&metrics), stop.clone());
        let readiness = Readiness::new(&live, &core, &metrics, &audit);
        let front = Arc::new(Self {
            live,
            core,
            metrics,
            counted,
            audit,
            readiness: Arc::new(readiness),
            unlisted: Unlisted::default(),
            log_limits: LogLimits::new(),
            stop,
            connections: TaskTracker::new(),
        });
        front.live().know_ntlm().await;
        listen::serve(&front, listeners).map_err(FrontError::Serve)?;
        let watching = readiness::watch(Arc::clone(&front.readiness));
        tokio::spawn(front.stop.clone().run_until_cancelled_owned(watching));
        Ok(front)
    }

    /// Takes a new configuration as a whole, or leaves everything as it was.
    /// Sockets stay: their addresses take a restart.
    ///
    /// # Errors
    /// What is wrong with the new one.
    pub(crate) fn reload(&self, settings: &FrontSettings) -> Result<(), FrontError> {
        let old = self.live();
        let fresh = Live::new(settings, &self.metrics.ntlm, &self.stop, Some(&old))?;
        self.live.store(Arc::new(fresh));
        Ok(())
    }

    /// Stops accepting, lets open requests finish for as long as is allowed, and ends.
    pub(crate) async fn drain(&self, limit: Duration) {
        self.stop.cancel();
        self.connections.close();
        if timeout(limit, self.connections.wait()).await.is_err() {
            tracing::warn!(
                open = self.connections.len(),
                "connections were still open at the end of stop_timeout"
            );
        }
    }
}

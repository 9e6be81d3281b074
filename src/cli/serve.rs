//! `doorward serve`, `front` and `core`: what runs until it is told to stop.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::audit::Audit;
use crate::config::checked::{CoreAddress, Settings};
use crate::config::{self, ConfigErrors, Loaded};
use crate::core_server::{self, Core, CoreError};
use crate::front::{Front, FrontError};
use crate::metrics::Metrics;
use crate::process::log::LogLevel;
use crate::process::signals::{Asked, Signals};
use crate::process::{log, notify};
use crate::wire::client::{Client, ClientError};

/// Which half runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Front and core in one process, which still talk through the core's socket.
    Both,
    /// The front alone.
    Front,
    /// The core alone.
    Core,
}

const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration is wrong: exit code 78.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// `serve` starts a core and is told to use another one.
    #[error(
        "[front] core names another socket than [core] listen: serve runs its own core; leave [front] core out, or run `doorward front`"
    )]
    TwoCores,
    /// The log or the audit log cannot be written.
    #[error("the audit log cannot be opened ({0}): check [log] audit and the rights of its folder")]
    Audit(#[source] io::Error),
    /// The runtime or a signal handler.
    #[error("the system gives no {0}: {1}")]
    System(&'static str, #[source] io::Error),
    /// The figures.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The front.
    #[error("the front cannot start")]
    Front(#[from] FrontError),
    /// The core.
    #[error("the core cannot start")]
    Core(#[from] CoreError),
    /// The front's key to the core.
    #[error(transparent)]
    Credentials(#[from] ClientError),
}

/// Runs a role until SIGTERM.
///
/// # Errors
/// Whatever keeps it from starting; nothing starts half.
pub fn run(role: Role, file: Option<&Path>) -> Result<(), ServeError> {
    let Loaded { settings, warnings } = config::load(file)?;
    let level = log::start(&settings.log).ok();
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| ServeError::System("runtime", error))?;
    let outcome = runtime.block_on(serve(role, file, settings, level));
    // What tasks still hold must be dropped before the process ends: the audit
    // log writes its last lines then, and the Kerberos threads leave the library.
    runtime.shutdown_timeout(LAST_MOMENTS);
    outcome
}

/// The halves that run in this process.
struct Running {
    front: Option<Arc<Front>>,
    core: Option<Arc<Core>>,
    audit: Arc<Audit>,
    level: Option<LogLevel>,
}

async fn serve(
    role: Role,
    file: Option<&Path>,
    settings: Settings,
    level: Option<LogLevel>,
) -> Result<(), ServeError> {
    let mut signals =
        Signals::listen().map_err(|error| ServeError::System("signal handlers", error))?;
    let audit = Arc::new(Audit::open(settings.log.audit.clone()).map_err(ServeError::Audit)?);
    let metrics = Arc::new(Metrics::new()?);
    let core_stop = CancellationToken::new();
    let mut running = Running { front: None, core: None, audit: Arc::clone(&audit), level };
    let mut core_serving = None;
    if role == Role::Both && settings.front.core != CoreAddress::Unix(settings.core.listen.clone())
    {
        return Err(ServeError::TwoCores);
    }
    if role != Role::Front {
        let sockets = core_server::bind(&settings.core)?;
        let tls: Vec<_> = sockets.tls.iter().filter_map(|tls| tls.local_addr().ok()).collect();
        let core = Core::start(&settings, Arc::clone(&audit))?;
        let core = Arc::new(core);
        let address = settings.core.listen.display().to_string();
        let serving = core_server::serve(sockets, Arc::clone(&core), core_stop.clone());
        core_serving = Some(tokio::spawn(serving));
        let counted = Arc::clone(&core);
        metrics.count_sessions(move || counted.live_sessions());
        tracing::info!(event = "listening", what = "core", address, "listening");
        for address in tls {
            tracing::info!(event = "listening", what = "core", %address, "listening for TLS");
        }
        running.core = Some(core);
    }
    if role != Role::Core {
        // A front that can never be let in had better say so now.
        Client::new(settings.front.core.clone()).prepare().await?;
        running.front = Some(Front::start(&settings, metrics, audit)?);
    }
    tracing::info!(event = "ready", "doorward {} is ready", env!("CARGO_PKG_VERSION"));
    notify::ready();
    loop {
        match signals.next().await {
            Asked::Stop => break,
            Asked::Reload => {
                notify::reloading();
                running.reload(file);
                notify::ready();
            }
        }
    }
    notify::stopping();
    tracing::info!(event = "stopping", "stopping: open requests are finished");
    if let Some(front) = &running.front {
        front.drain(settings.front.stop_timeout).await;
    }
    core_stop.cancel();
    if let Some(serving) = core_serving
        && let Err(error) = serving.await
    {
        tracing::error!(%error, "the core did not end by itself");
    }
    Ok(())
}

impl Running {
    /// All or nothing: what is wrong with the new configuration is said, and the old one stays.
    fn reload(&self, file: Option<&Path>) {
        match self.try_reload(file) {
            Ok(()) => tracing::info!(event = "reloaded", "the configuration was read again"),
            Err(error) => {
                let error = chain(&error);
                tracing::error!(event = "reload_failed", error, "the old configuration stays");
            }
        }
    }

    fn try_reload(&self, file: Option<&Path>) -> Result<(), ServeError> {
        let Loaded { settings, warnings } = config::load(file)?;
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        // What can fail comes first, and the front's is whole or nothing itself.
        let prepared = self.core.as_ref().map(|_| Core::prepare(&settings)).transpose()?;
        self.audit.reopen().map_err(ServeError::Audit)?;
        if let Some(front) = &self.front {
            front.reload(&settings)?;
        }
        if let (Some(core), Some(prepared)) = (&self.core, prepared) {
            core.reload(prepared);
        }
        if let Some(level) = &self.level {
            level.set(settings.log.level);
        }
        Ok(())
    }
}

/// An error and its causes in one line.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !text.contains(&more) {
            text = format!("{text}: {more}");
        }
        cause = error.source();
    }
    text
}

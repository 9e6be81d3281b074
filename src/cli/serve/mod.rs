//! `doorward serve`, `front` and `core`: what runs until it is told to stop.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::audit::Audit;
use crate::cli::role::Role;
use crate::config::section::{CoreAddress, Log, Settings};
use crate::config::{self, Loaded, Surroundings};
use crate::core_client::Client;
use crate::core_server::{self, Core};
use crate::front::Front;
use crate::metrics::Metrics;
use crate::process::log::LogLevel;
use crate::process::signals::{Asked, Signals};
use crate::process::systemd::notify;
use crate::process::{log, secrets};

mod error;
mod reload;
mod rights;
mod sockets;

pub use error::ServeError;
use sockets::{Handed, Sockets};

const LAST_MOMENTS: Duration = Duration::from_secs(2);

/// Runs a role until SIGTERM.
///
/// # Errors
/// Whatever keeps it from starting; nothing starts half.
pub fn run(role: Role, file: Option<&Path>) -> Result<(), ServeError> {
    let surroundings = Surroundings::here();
    let Loaded { mut settings, warnings } = config::load_in(file, &surroundings)?;
    let level = log::start(&settings.log).ok();
    for warning in &warnings {
        tracing::warn!("{warning}");
    }
    secrets::write_no_core_file();
    if role == Role::Both && settings.front.core != CoreAddress::Unix(settings.core.listen.clone())
    {
        return Err(ServeError::TwoCores);
    }
    // One thread runs until root's rights have been given up; everything is read after that.
    let mut sockets = Sockets::open(role, &mut settings)?;
    rights::give_up(role, &settings, sockets.core.is_some())?;
    rights::check_configuration(file);
    rights::check(role, &settings)?;
    if role != Role::Front && sockets.core.is_none() {
        sockets.core = Some(core_server::bind(&settings.core)?);
    }
    let origin = Origin {
        file: file.map(Path::to_owned),
        root: surroundings.root,
        handed: sockets.handed.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| ServeError::System("runtime", error))?;
    let outcome = runtime.block_on(serve(role, origin, sockets, settings, level));
    // What tasks still hold must be dropped before the process ends: the audit
    // log writes its last lines then, and the Kerberos threads leave the library.
    runtime.shutdown_timeout(LAST_MOMENTS);
    outcome
}

/// Where the settings come from, at the start and at every reload.
struct Origin {
    file: Option<PathBuf>,
    root: bool,
    handed: Handed,
}

/// The halves that run in this process.
struct Running {
    role: Role,
    origin: Origin,
    /// What it was started with.
    started: Settings,
    front: Option<Arc<Front>>,
    core: Option<Arc<Core>>,
    audit: Arc<Audit>,
    level: Option<LogLevel>,
}

async fn serve(
    role: Role,
    origin: Origin,
    sockets: Sockets,
    settings: Settings,
    level: Option<LogLevel>,
) -> Result<(), ServeError> {
    let mut signals =
        Signals::listen().map_err(|error| ServeError::System("signal handlers", error))?;
    let Log { audit, audit_required, .. } = settings.log.clone();
    let audit = Arc::new(Audit::open(audit, audit_required).map_err(ServeError::Audit)?);
    let metrics = Arc::new(Metrics::default());
    let core_stop = CancellationToken::new();
    let mut running = Running {
        role,
        origin,
        started: settings.clone(),
        front: None,
        core: None,
        audit: Arc::clone(&audit),
        level,
    };
    let mut core_serving = None;
    if let Some(local) = sockets.core {
        let tls: Vec<_> = sockets.core_tls.iter().filter_map(|tls| tls.local_addr().ok()).collect();
        let sockets = core_server::Sockets { local, tls: sockets.core_tls };
        let core = Core::start(&settings.for_core(), Arc::clone(&audit)).await?;
        let core = Arc::new(core);
        let address = settings.core.listen.display().to_string();
        let serving = core_server::serve(sockets, Arc::clone(&core), core_stop.clone());
        core_serving = Some(tokio::spawn(serving));
        tracing::info!(event = "listening", what = "core", address, "listening");
        for address in tls {
            tracing::info!(event = "listening", what = "core", %address, "listening for TLS");
        }
        running.core = Some(core);
    }
    core_server::register_metrics(running.core.as_ref(), &metrics)?;
    if role != Role::Core {
        // A front that can never be let in had better say so now.
        Client::new(settings.front.core.clone()).prepare().await?;
        running.front =
            Some(Front::start(&settings.for_front(), sockets.front, metrics, audit).await?);
    }
    tracing::info!(event = "ready", "doorward {} is ready", env!("CARGO_PKG_VERSION"));
    notify::ready("serving");
    loop {
        match signals.next().await {
            Asked::Stop => break,
            Asked::Reload(asker) => {
                let outcome = running.reload();
                if let Some(asker) = asker {
                    asker.answer(&outcome).await;
                }
            }
        }
    }
    notify::stopping();
    tracing::info!(event = "stopping", "stopping: open requests may finish");
    if let Some(front) = &running.front {
        front.drain(settings.front.stop_timeout).await;
    }
    core_stop.cancel();
    if let Some(serving) = core_serving
        && let Err(error) = serving.await
    {
        tracing::error!(%error, "the core did not stop by itself");
    }
    Ok(())
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

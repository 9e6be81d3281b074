//! The front: speaks TCP, TLS and HTTP, finds out who is there, and passes
//! requests on under a proven identity. Files in the order in which data flows:
//! `listen`, `tls`, `connection`, `http`, `mechanism`, `core_link`, `upstream`.

use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub(crate) mod answer;
pub(crate) mod body;
pub(crate) mod connection;
pub(crate) mod core_link;
pub(crate) mod door;
pub(crate) mod listen;
mod metrics;
pub(crate) mod readiness;
pub(crate) mod request;
pub(crate) mod sign_on;
pub(crate) mod tls;
pub(crate) mod upstream;

use self::core_link::CoreLink;
pub(crate) use self::listen::{Listener, Speaks, bind};
pub(crate) use self::metrics::FrontMetrics;
use self::readiness::Readiness;
use self::tls::{Clients, ServerTls, TlsError};
use self::upstream::{AssertionError, Assertions, OddAddress, Proxy};
use crate::audit::Audit;
use crate::clock;
use crate::config::checked::{HostPattern, Settings};
use crate::mechanism::kerberos::pool::Pool;
use crate::mechanism::ntlm::{Acceptor, NtlmMetrics, OwnHosts, Targets};
use crate::metrics::Metrics;
use crate::pki::file::write as file;
use crate::process::seldom::Seldom;
use crate::wire::{Mechanism, Reason};
use answer::visitors::Visitors;
use connection::serve::Limits;
use request::unlisted::Unlisted;
use sign_on::cookie;

/// A running front.
#[derive(Debug)]
pub(crate) struct Front {
    live: ArcSwap<Live>,
    /// The line to the core.
    core: Arc<CoreLink>,
    /// Figures.
    /// All that this process counts, for the status listener.
    counted: Arc<Metrics>,
    metrics: Arc<FrontMetrics>,
    /// Who was refused, and why.
    audit: Arc<Audit>,
    /// Whether a sign-on would succeed.
    readiness: Readiness,
    /// Proxies that are not listed.
    unlisted: Unlisted,
    /// What strangers can bring about as often as they like is told once in a while.
    told: Told,
    /// Fires when the front is to stop.
    stop: CancellationToken,
    connections: TaskTracker,
}

/// Which lines of the log were written not long ago.
#[derive(Debug)]
struct Told {
    /// That somebody is not signed on.
    visitors: Visitors,
    /// What an administrator has to mend: by reason.
    faults: Seldom<Reason>,
}

impl Told {
    fn new() -> Self {
        let minute = Duration::from_secs(60);
        Self { visitors: Visitors::default(), faults: Seldom::new(minute, 256) }
    }
}

/// What a reload replaces as a whole. A request keeps the one it began with.
#[derive(Debug)]
struct Live {
    /// The configuration.
    settings: Settings,
    /// The Kerberos threads.
    gss: Arc<Pool>,
    /// Who accepts NTLM; `None` where it is offered nowhere.
    ntlm: Option<Arc<Acceptor>>,
    /// The hosts that are ours, whatever a request says.
    own_hosts: Arc<OwnHosts>,
    /// Certificate and settings of the TLS listeners.
    tls: Option<Arc<ServerTls>>,
    /// The way to the applications.
    proxy: Proxy,
    /// Who signs what applications are told.
    assertions: Arc<Assertions>,
    /// Limits of a connection.
    limits: Limits,
}

/// Why a front cannot start, or not take a new configuration.
#[derive(Debug, thiserror::Error)]
pub enum FrontError {
    /// A socket.
    #[error(transparent)]
    Bind(#[from] listen::BindError),
    /// Key or certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Two metrics of one name: a mistake in the code.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The key of the signed assertion.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// An application's address.
    #[error(transparent)]
    Application(#[from] OddAddress),
    /// The Kerberos threads could not be started.
    #[error("the Kerberos threads cannot be started: {0}")]
    Kerberos(#[source] io::Error),
    /// The folder of generated keys.
    #[error("state_path {} cannot be made ({source}): make it, and let the gateway's user write to it", path.display())]
    State {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
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
        settings: &Settings,
        listeners: Vec<listen::Listener>,
        counted: Arc<Metrics>,
        audit: Arc<Audit>,
    ) -> Result<Arc<Self>, FrontError> {
        file::folder(&settings.state_path)
            .map_err(|source| FrontError::State { path: settings.state_path.clone(), source })?;
        let stop = CancellationToken::new();
        let metrics = Arc::new(FrontMetrics::register(&counted)?);
        let live = Live::new(settings, &metrics.ntlm, &stop, None)?;
        let core = CoreLink::start(settings.front.core.clone(), Arc::clone(&metrics), stop.clone());
        let front = Arc::new(Self {
            live: ArcSwap::from_pointee(live),
            core,
            counted,
            metrics,
            audit,
            readiness: Readiness::default(),
            unlisted: Unlisted::default(),
            told: Told::new(),
            stop,
            connections: TaskTracker::new(),
        });
        front.live().know_ntlm().await;
        listen::serve(&front, listeners).map_err(FrontError::Serve)?;
        tokio::spawn(readiness::watch(Arc::clone(&front)));
        Ok(front)
    }

    /// What holds at this moment.
    fn live(&self) -> Arc<Live> {
        self.live.load_full()
    }

    /// Whether an address is one of the trusted proxies.
    fn is_trusted(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let proxies = &self.live.load().settings.front.trusted_proxies;
        proxies.iter().any(|network| network.contains(&address))
    }

    /// Takes a new configuration as a whole, or leaves everything as it was.
    /// Sockets stay: their addresses take a restart.
    ///
    /// # Errors
    /// What is wrong with the new one.
    pub(crate) fn reload(&self, settings: &Settings) -> Result<(), FrontError> {
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
                "connections were still open when the time was up"
            );
        }
    }
}

impl Live {
    fn new(
        settings: &Settings,
        metrics: &Arc<NtlmMetrics>,
        stop: &CancellationToken,
        old: Option<&Self>,
    ) -> Result<Self, FrontError> {
        let kerberos = &settings.sso.kerberos;
        let gss = match old {
            Some(old) if old.settings.sso.kerberos == *kerberos => Arc::clone(&old.gss),
            _ => {
                let replay_cache = settings.state_path.join("replay-cache");
                Arc::new(Pool::start(kerberos, &replay_cache).map_err(FrontError::Kerberos)?)
            }
        };
        let assertions =
            Arc::new(Assertions::open(&settings.state_path, &settings.server_hostname)?);
        let cookies = [cookie::PLAIN, cookie::SECURE];
        let proxy =
            Proxy::new(&settings.front, &settings.sites, &cookies, Arc::clone(&assertions))?;
        Ok(Self {
            gss,
            ntlm: acceptor(settings, metrics, stop, old),
            own_hosts: Arc::new(sign_on::own_hosts::of(settings)),
            tls: tls(settings)?,
            proxy,
            assertions,
            limits: Limits {
                header_bytes: settings.front.max_header_bytes,
                first_request: settings.front.header_timeout,
                idle: settings.front.idle_timeout,
                body: settings.front.body_timeout,
            },
            settings: settings.clone(),
        })
    }

    /// For which services an answer by NTLM may be made on a connection to this address.
    fn targets(&self, local: Option<IpAddr>) -> Targets {
        if self.settings.sso.ntlm.check_target_name {
            let local = local.map(|address| address.to_string());
            Targets::Ours { own: Arc::clone(&self.own_hosts), local }
        } else {
            Targets::Any
        }
    }
}

impl Live {
    /// Waits until it is known whether NTLM works, where that decides what is offered.
    async fn know_ntlm(&self) {
        let Settings { sites, sso, .. } = &self.settings;
        let decides =
            sites.iter().any(|site| site.mechanisms_by_default) || sso.mechanisms_by_default;
        if let Some(acceptor) = self.ntlm.as_ref().filter(|_| decides)
            && timeout(FIRST_VERDICT, acceptor.known()).await.is_err()
        {
            tracing::info!("winbind takes its time: NTLM is offered as soon as it answers");
        }
    }
}

/// So long the first client waits for winbind.
const FIRST_VERDICT: Duration = Duration::from_secs(2);

/// Who accepts NTLM, where a site or Doorward's own pages offer it.
fn acceptor(
    settings: &Settings,
    metrics: &Arc<NtlmMetrics>,
    stop: &CancellationToken,
    old: Option<&Live>,
) -> Option<Arc<Acceptor>> {
    if !offers(settings, Mechanism::Ntlm) {
        return None;
    }
    let kept = old.filter(|old| old.settings.sso.ntlm == settings.sso.ntlm);
    kept.and_then(|old| old.ntlm.clone()).or_else(|| {
        let (metrics, stop) = (Arc::clone(metrics), stop.clone());
        let asked_for = is_asked_for(settings, Mechanism::Ntlm);
        Some(Arc::new(Acceptor::start(&settings.sso.ntlm, asked_for, metrics, stop)))
    })
}

/// Whether anybody may sign on by this, at a site or on Doorward's own pages.
fn offers(settings: &Settings, mechanism: Mechanism) -> bool {
    let mut lists =
        settings.sites.iter().map(|site| &site.mechanisms).chain([&settings.sso.mechanisms]);
    settings.sso.enable_sso && lists.any(|offered| offered.contains(&mechanism))
}

/// Whether a list of mechanisms that somebody wrote has this one in it.
pub(crate) fn is_asked_for(settings: &Settings, mechanism: Mechanism) -> bool {
    let sites = settings.sites.iter().map(|site| (&site.mechanisms, site.mechanisms_by_default));
    let general = (&settings.sso.mechanisms, settings.sso.mechanisms_by_default);
    sites.chain([general]).any(|(list, by_default)| !by_default && list.contains(&mechanism))
}

fn tls(settings: &Settings) -> Result<Option<Arc<ServerTls>>, TlsError> {
    if settings.front.listen_tls.is_empty() {
        return Ok(None);
    }
    let authorities =
        settings.front.clients.as_ref().filter(|_| offers(settings, Mechanism::Certificate));
    let clients = authorities.map(Clients::load).transpose()?;
    let tls = match &settings.front.certificate {
        Some(files) => ServerTls::load(files, clients)?,
        None => {
            let mut names = vec![settings.server_hostname.clone(), "localhost".to_owned()];
            names.extend(settings.sites.iter().filter_map(|site| match &site.host {
                HostPattern::Exact(name) => Some(name.clone()),
                HostPattern::Suffix(suffix) => Some(format!("*{suffix}")),
                HostPattern::Any => None,
            }));
            names.dedup();
            tracing::warn!(
                "no server_ssl_key_file: TLS uses a self-signed certificate, which no browser trusts"
            );
            ServerTls::self_signed(&settings.state_path, &names, clients, clock::now())?
        }
    };
    Ok(Some(Arc::new(tls)))
}

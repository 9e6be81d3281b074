//! What a reload replaces as a whole: the settings, and everything made from them.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::config::FrontSettings;
use crate::front::connection::serve::Limits;
use crate::front::request::cookie;
use crate::front::tls::{self, ServerTls, TlsError};
use crate::front::upstream::{AssertionError, Assertions, OddAddress, Proxy};
use crate::mechanism::kerberos::pool::Pool;
use crate::mechanism::ntlm::{Acceptor, NtlmMetrics};
use crate::mechanism::{OwnHosts, Targets};
use crate::wire::Mechanism;

mod own_hosts;

/// What a reload replaces as a whole. A request keeps the one it began with.
#[derive(Debug)]
pub(in crate::front) struct Live {
    /// The configuration.
    pub(in crate::front) settings: FrontSettings,
    /// The Kerberos threads.
    pub(in crate::front) gss: Arc<Pool>,
    /// Who accepts NTLM; `None` where it is offered nowhere.
    pub(in crate::front) ntlm: Option<Arc<Acceptor>>,
    /// The hosts that are ours, whatever a request says.
    own_hosts: Arc<OwnHosts>,
    /// Certificate and settings of the TLS listeners.
    pub(in crate::front) tls: Option<Arc<ServerTls>>,
    /// The way to the applications.
    pub(in crate::front) proxy: Proxy,
    /// Who signs what applications are told.
    pub(in crate::front) assertions: Arc<Assertions>,
    /// Limits of a connection.
    pub(in crate::front) limits: Limits,
}

/// Why settings cannot be put to work.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// Key or certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key of the signed assertion.
    #[error(transparent)]
    Assertion(#[from] AssertionError),
    /// An application's address.
    #[error(transparent)]
    Application(#[from] OddAddress),
    /// The Kerberos threads could not be started.
    #[error("the Kerberos threads cannot be started: {0}")]
    Kerberos(#[source] io::Error),
}

impl Live {
    /// Everything anew, but for what `old` has and may be kept.
    ///
    /// # Errors
    /// Anything that is missing.
    pub(super) fn new(
        settings: &FrontSettings,
        metrics: &Arc<NtlmMetrics>,
        stop: &CancellationToken,
        old: Option<&Self>,
    ) -> Result<Self, LiveError> {
        let kerberos = &settings.sso.kerberos;
        let gss = match old {
            Some(old) if old.settings.sso.kerberos == *kerberos => Arc::clone(&old.gss),
            _ => {
                let replay_cache = settings.state_path.join("replay-cache");
                Arc::new(Pool::start(kerberos, &replay_cache).map_err(LiveError::Kerberos)?)
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
            own_hosts: Arc::new(own_hosts::of(settings)),
            tls: tls::configured(settings)?,
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
    pub(in crate::front) fn targets(&self, local: Option<IpAddr>) -> Targets {
        if self.settings.sso.ntlm.check_target_name {
            let local = local.map(|address| address.to_string());
            Targets::Ours { own: Arc::clone(&self.own_hosts), local }
        } else {
            Targets::Any
        }
    }

    /// Waits until it is known whether NTLM works, where that decides what is offered.
    pub(super) async fn know_ntlm(&self) {
        let FrontSettings { sites, sso, .. } = &self.settings;
        let decides =
            sites.iter().any(|site| site.mechanisms_by_default) || sso.mechanisms_by_default;
        if let Some(acceptor) = self.ntlm.as_ref().filter(|_| decides)
            && timeout(FIRST_VERDICT, acceptor.known()).await.is_err()
        {
            tracing::info!("winbind does not answer yet: NTLM is offered as soon as it does");
        }
    }
}

/// So long the first client waits for winbind.
const FIRST_VERDICT: Duration = Duration::from_secs(2);

/// Who accepts NTLM, where a site or Doorward's own pages offer it.
fn acceptor(
    settings: &FrontSettings,
    metrics: &Arc<NtlmMetrics>,
    stop: &CancellationToken,
    old: Option<&Live>,
) -> Option<Arc<Acceptor>> {
    if !settings.offers(Mechanism::Ntlm) {
        return None;
    }
    let kept = old.filter(|old| old.settings.sso.ntlm == settings.sso.ntlm);
    kept.and_then(|old| old.ntlm.clone()).or_else(|| {
        let (metrics, stop) = (Arc::clone(metrics), stop.clone());
        let asked_for = settings.asks_for(Mechanism::Ntlm);
        Some(Arc::new(Acceptor::start(&settings.sso.ntlm, asked_for, metrics, stop)))
    })
}

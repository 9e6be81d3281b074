//! The core's TLS: settings, and one connection.
//!
//! A client certificate is asked for and not demanded, and the handshake accepts
//! every certificate whose key the client proves. Whether it counts is judged for
//! each request, so a refusal is an answer that can be read.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::service::{Service, service_fn};
use rustls::ServerConfig;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::api::Asker;
use super::serve::{Door, MAX_HEAD, STRANGERS_HEAD, talk};
use crate::clock;
use crate::config::section;
use crate::core_server::TlsSetupError;
use crate::core_server::peer::certificate::Client;
use crate::core_server::peer::{Peer, Remote};
use crate::pki::file::pair;
use crate::pki::peer::chain::Authorities;
use crate::pki::tls::server_config;
use crate::process::seldom::Seldom;

/// What new handshakes use, and by whose word certificates are taken.
#[derive(Debug)]
pub(in crate::core_server) struct Tls {
    config: Arc<ServerConfig>,
    authorities: Arc<Authorities>,
}

impl Tls {
    /// Reads key, certificate and authorities.
    pub(in crate::core_server) fn load(settings: &section::CoreTls) -> Result<Self, TlsSetupError> {
        let certificate = pair::load(&settings.certificate, "server_ssl_key_pass")?;
        // A service has one certificate for us, and shows that one: it needs no names.
        let asks = Some(Vec::new());
        let config = server_config(certificate, asks, &["http/1.1"], RESUMABLE_SESSIONS)?;
        let authorities = Arc::new(Authorities::load(settings.authorities.clone())?);
        Ok(Self { config: Arc::new(config), authorities })
    }

    /// By whose word certificates are taken.
    pub(in crate::core_server) fn authorities(&self) -> Arc<Authorities> {
        Arc::clone(&self.authorities)
    }
}

impl Door {
    /// Shakes hands, and serves requests until the client leaves.
    pub(in crate::core_server) async fn welcome_tls(&self, stream: TcpStream, address: SocketAddr) {
        let Ok(place) = self.handshakes.try_acquire() else {
            if CROWDED.due("handshakes", clock::instant()).is_some() {
                tracing::warn!(%address, "too many TLS handshakes with the core at once; closed the connection");
            }
            return;
        };
        let Some(tls) = self.core.tls.load_full() else { return };
        let acceptor = TlsAcceptor::from(Arc::clone(&tls.config));
        drop(tls);
        let handshake = async {
            stream.set_nodelay(true)?;
            acceptor.accept(stream).await
        };
        let stream = match Box::pin(timeout(HANDSHAKE, handshake)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => {
                tracing::debug!(%address, %error, "a TLS handshake with the core failed");
                return;
            }
            Err(_) => {
                tracing::debug!(%address, "a TLS handshake with the core took too long");
                return;
            }
        };
        let chain = stream.get_ref().1.peer_certificates().unwrap_or_default();
        let client = Arc::new(Client::new(chain, address.ip()));
        // Whoever is told that it is refused has all the time of a stranger.
        let known = matches!(self.core.judge_client(&client).await, Some(Ok(Peer::Key(_))));
        drop(place);
        let places = if known { &self.keys } else { &self.strangers };
        let Ok(_place) = places.try_acquire() else {
            if CROWDED.due(if known { "keys" } else { "strangers" }, clock::instant()).is_some() {
                tracing::warn!(%address, known, "too many TLS connections to the core; closed the connection");
            }
            return;
        };
        let over = self.stop.child_token();
        let (lifetime, head) = match known {
            true => (None, MAX_HEAD),
            false => (Some(STRANGERS_LIFETIME), STRANGERS_HEAD),
        };
        let service = service_fn(|request| self.answer(request, Arc::clone(&client), over.clone()));
        talk(stream, service, over.clone(), lifetime, head).await;
    }

    async fn answer(
        &self,
        mut request: http::Request<Incoming>,
        client: Arc<Client>,
        stop: CancellationToken,
    ) -> Result<Response<Body>, std::convert::Infallible> {
        let desk = match self.core.receive_client(&client).await {
            Ok(desk) => desk,
            Err(refusal) => return Ok(refusal.into_response()),
        };
        request.extensions_mut().insert(Asker { desk, remote: Remote::Client(client), stop });
        self.router.call(request).await
    }
}

static CROWDED: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

/// TLS sessions that clients may resume; a reload forgets them.
const RESUMABLE_SESSIONS: usize = 1024;
/// A client that is slow or silent within a handshake is left.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// A connection of somebody without a good key lasts no longer.
const STRANGERS_LIFETIME: Duration = Duration::from_secs(60);

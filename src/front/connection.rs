//! The facts of one connection, its unfinished exchange, and the hyper loop.

use std::net::IpAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use http::{HeaderMap, Request};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use ipnet::IpNet;
use tokio::io::{AsyncRead, AsyncWrite};

use super::Front;
use super::body::Tracked;
use super::bound::{Bound, Marks};
use super::http::{self as front_http, answer::NeedsHttp1};
use super::mechanism::{Bindings, Exchange};
use super::output::{Noted, Output};
use super::upstream::Client;
use crate::clock;
use crate::pki::shown::Shown;
use crate::wire::SessionSecret;

/// What is true of a connection as long as it stands.
#[derive(Debug)]
pub struct Connection {
    /// The peer's address: the client itself, or a proxy.
    pub peer: IpAddr,
    /// Whether it is one of the trusted proxies: its connections carry many clients.
    pub trusted: bool,
    /// The peer as applications are told of it.
    pub client: Client,
    /// The TLS channel binding (RFC 5929 tls-server-end-point); `None` on plain HTTP.
    pub binding: Option<Arc<Bindings>>,
    /// The certificate that the peer showed in its TLS handshake.
    pub certificate: Option<Arc<Shown>>,
    state: Mutex<State>,
    told: AtomicBool,
    open_requests: AtomicUsize,
    begun_requests: AtomicUsize,
}

#[derive(Debug, Default)]
struct State {
    exchange: Option<Exchange>,
    bound: Bound,
}

impl Connection {
    /// A connection on which nothing has happened yet.
    pub fn new(
        peer: IpAddr,
        binding: Option<Arc<Bindings>>,
        certificate: Option<Shown>,
        trusted_proxies: &[IpNet],
    ) -> Self {
        let peer = peer.to_canonical();
        let trusted = trusted_proxies.iter().any(|network| network.contains(&peer));
        Self {
            peer,
            trusted,
            client: Client::new(peer, binding.is_some(), trusted),
            binding,
            certificate: certificate.map(Arc::new),
            state: Mutex::default(),
            told: AtomicBool::new(false),
            open_requests: AtomicUsize::new(0),
            begun_requests: AtomicUsize::new(0),
        }
    }

    /// Whether it is TLS that this gateway itself ends.
    pub const fn is_tls(&self) -> bool {
        self.binding.is_some()
    }

    /// Takes the unfinished exchange, and drops what was proven here before:
    /// from now on only the new attempt counts.
    pub fn begin_attempt(&self) -> Option<Exchange> {
        std::mem::take(&mut *self.lock()).exchange
    }

    /// Drops an exchange that was broken off by a request without a token.
    /// True when there was one.
    pub fn break_off(&self) -> bool {
        self.lock().exchange.take().is_some()
    }

    /// Keeps an exchange until the client's next leg.
    pub fn await_leg(&self, exchange: Exchange) {
        self.lock().exchange = Some(exchange);
    }

    /// Keeps a session that was proven on this connection for requests to this
    /// host, as long as the client of these marks sends them.
    pub fn bind(&self, host: &str, session: SessionSecret, client: Option<Marks>) {
        self.lock().bound.keep(host, session, client);
    }

    /// The session that was proven on this connection, for a request to this host
    /// with these headers.
    pub fn bound(&self, host: &str, headers: &HeaderMap) -> Option<SessionSecret> {
        self.lock().bound.find(host, headers)
    }

    /// Notes that a client without credentials was told what is offered. True
    /// when one was told before.
    pub fn tell(&self) -> bool {
        self.told.swap(true, Ordering::Relaxed)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts a request as open until its answer's body has ended.
#[derive(Debug)]
pub struct OpenRequest(Arc<Connection>);

impl OpenRequest {
    fn new(connection: &Arc<Connection>) -> Self {
        connection.begun_requests.fetch_add(1, Ordering::Relaxed);
        connection.open_requests.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(connection))
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.0.open_requests.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves HTTP on a connection until it ends, stands idle for too long, or the gateway stops.
pub async fn serve<S>(front: Arc<Front>, connection: Arc<Connection>, stream: S)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = front.live().limits;
    let stop = front.stop.clone();
    let builder = builder(&limits);
    let service = service_fn(|request: Request<Incoming>| {
        let open = OpenRequest::new(&connection);
        let front = Arc::clone(&front);
        let connection = Arc::clone(&connection);
        async move {
            let answer = front_http::answer(front, connection, request).await;
            if answer.extensions().get::<NeedsHttp1>().is_some() {
                return Err(h2::Error::from(h2::Reason::HTTP_1_1_REQUIRED));
            }
            Ok(answer.map(|body| Tracked::new(body, open)))
        }
    });
    let output = Arc::new(Output::default());
    let stream = Noted::new(stream, Arc::clone(&output));
    let serving = builder.serve_connection_with_upgrades(TokioIo::new(stream), service);
    let mut serving = Box::pin(serving);
    let mut idle = pin!(wait_until_idle(&connection, &limits));
    let mut stalled = pin!(output.wait_until_stalled(limits.body));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %connection.peer, %error, "a connection broke");
                }
                return;
            }
            () = idle.as_mut() => return,
            () = stalled.as_mut() => {
                tracing::info!(peer = %connection.peer, "a client stopped reading its answer");
                return;
            }
            () = stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// What a connection may take and how long it may wait.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Header lines of a request, in bytes.
    pub header_bytes: usize,
    /// Until the first request has arrived.
    pub first_request: Duration,
    /// Between requests.
    pub idle: Duration,
    /// Until a client has taken a part of its answer.
    pub body: Duration,
}

fn builder(limits: &Limits) -> auto::Builder<TokioExecutor> {
    let mut builder = auto::Builder::new(TokioExecutor::new());
    builder
        .http1()
        .max_buf_size(limits.header_bytes + MAX_REQUEST_LINE)
        .max_headers(MAX_HEADERS)
        .half_close(false);
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_concurrent_streams(128)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.first_request);
    builder
}

/// Ends when no request has been open for as long as the limits allow. A peer
/// that dribbles header lines has no open request either.
async fn wait_until_idle(connection: &Connection, limits: &Limits) {
    let mut seen = 0;
    let mut limit = limits.first_request;
    loop {
        clock::pause(limit).await;
        let begun = connection.begun_requests.load(Ordering::Relaxed);
        if begun == seen && connection.open_requests.load(Ordering::Relaxed) == 0 {
            return;
        }
        seen = begun;
        limit = limits.idle;
    }
}

const MAX_REQUEST_LINE: usize = 16 * 1024;
const MAX_HEADERS: usize = 200;

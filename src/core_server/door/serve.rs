//! Accepts peers on the unix socket and on TLS, and serves each on a
//! connection of its own.

use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, TcpListener as StdTcpListener};
use std::os::unix::net::UnixListener as StdUnixListener;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{HttpService, Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio::time::{interval, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::{Asker, router};
use crate::clock;
use crate::core_server::Core;
use crate::core_server::peer::program::Program;
use crate::core_server::peer::{PeerKind, Remote};
use crate::process::seldom::Seldom;

/// The bound sockets of a core.
#[derive(Debug)]
pub(crate) struct Sockets {
    /// For programs of this host.
    pub local: StdUnixListener,
    /// For TLS.
    pub tls: Vec<StdTcpListener>,
}

/// Serves the core's API on `sockets` until `stop`, and sweeps the sessions.
/// Then open requests are given a few seconds to finish.
///
/// # Errors
/// A socket cannot be used at all.
pub(crate) async fn serve(
    sockets: Sockets,
    core: Arc<Core>,
    stop: CancellationToken,
) -> io::Result<()> {
    sockets.local.set_nonblocking(true)?;
    let local = UnixListener::from_std(sockets.local)?;
    let connections = TaskTracker::new();
    let door = Door {
        router: TowerToHyperService::new(router()),
        core: Arc::clone(&core),
        all: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
        locals: Arc::new(Semaphore::new(MAX_LOCALS)),
        handshakes: Arc::new(Semaphore::new(MAX_HANDSHAKES)),
        keys: Arc::new(Semaphore::new(MAX_KEYS)),
        strangers: Arc::new(Semaphore::new(MAX_STRANGERS)),
        connections: connections.clone(),
        stop: stop.clone(),
    };
    for listener in sockets.tls {
        listener.set_nonblocking(true)?;
        let listener = TcpListener::from_std(listener)?;
        let accepting = door.clone().accept_tls(listener);
        tokio::spawn(stop.clone().run_until_cancelled_owned(accepting));
    }
    let accepting = tokio::spawn(stop.clone().run_until_cancelled_owned(door.accept_local(local)));
    connections.spawn(Arc::clone(&core).watch_keys(stop.clone()));
    connections.spawn(stop.clone().run_until_cancelled_owned(Arc::clone(&core).follow_store()));
    let mut sweep = interval(SWEEP);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = sweep.tick() => core.sweep(clock::now()),
        }
    }
    // The socket is closed before the last answers are waited for.
    let _ = accepting.await;
    connections.close();
    if timeout(FAREWELL, connections.wait()).await.is_err() {
        tracing::warn!("some requests to the core did not finish before it stopped");
    }
    Ok(())
}

/// What every connection needs.
#[derive(Clone)]
pub(in crate::core_server) struct Door {
    pub(in crate::core_server) router: TowerToHyperService<axum::Router>,
    pub(in crate::core_server) core: Arc<Core>,
    pub(in crate::core_server) handshakes: Arc<Semaphore>,
    pub(in crate::core_server) keys: Arc<Semaphore>,
    pub(in crate::core_server) strangers: Arc<Semaphore>,
    pub(in crate::core_server) stop: CancellationToken,
    all: Arc<Semaphore>,
    locals: Arc<Semaphore>,
    connections: TaskTracker,
}

impl Door {
    async fn accept_local(self, listener: UnixListener) {
        loop {
            // The semaphore is never closed, so there always is a place in the end.
            let place = Arc::clone(&self.all).acquire_owned().await.ok();
            let Some((stream, _)) = accepted(listener.accept().await, "its socket").await else {
                continue;
            };
            let door = self.clone();
            self.connections.spawn(async move {
                door.welcome(stream).await;
                drop(place);
            });
        }
    }

    async fn accept_tls(self, listener: TcpListener) {
        loop {
            let accept: io::Result<(TcpStream, SocketAddr)> = listener.accept().await;
            if let Some((stream, address)) = accepted(accept, "TLS").await {
                let door = self.clone();
                self.connections.spawn(async move { door.welcome_tls(stream, address).await });
            }
        }
    }

    async fn welcome(&self, stream: UnixStream) {
        let Ok(credentials) = stream.peer_cred() else { return };
        let program = Arc::new(Program::new(credentials.uid()));
        let Some(peer) = self.core.judge_program(&program).await else { return };
        let (over, mut lifetime, mut _place) = (self.stop.child_token(), None, None);
        let kind = peer.kind();
        if kind == PeerKind::Local {
            // Fronts must always find a place, however many local programs connect.
            _place = self.locals.try_acquire().ok();
            if _place.is_none() {
                if CROWDED.due("programs", clock::instant()).is_some() {
                    tracing::warn!(%peer, "too many local programs are connected to the core; closed the connection");
                }
                return;
            }
            lifetime = Some(LOCAL_LIFETIME);
        }
        let service = service_fn(|mut request: http::Request<Incoming>| {
            let (program, over) = (Arc::clone(&program), over.clone());
            async move {
                let desk = match self.core.receive_program(&program).await {
                    Ok(desk) => desk,
                    Err(refusal) => return Ok(refusal.into_response()),
                };
                if desk.peer().kind() != kind {
                    // It has the place of another kind of peer: this is its last request here.
                    over.cancel();
                }
                let remote = Remote::Program(program);
                request.extensions_mut().insert(Asker { desk, remote, stop: over });
                self.router.call(request).await
            }
        });
        let head = if kind == PeerKind::Local { STRANGERS_HEAD } else { MAX_HEAD };
        talk(stream, service, over.clone(), lifetime, head).await;
    }
}

/// Serves requests until the peer leaves, until `over`, or until its lifetime has passed.
pub(in crate::core_server) async fn talk<S>(
    stream: impl AsyncRead + AsyncWrite + Unpin,
    service: S,
    over: CancellationToken,
    lifetime: Option<Duration>,
    max_head: usize,
) where
    S: HttpService<Incoming, ResBody = Body>
        + Service<http::Request<Incoming>, Response = Response, Error = std::convert::Infallible>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(max_head)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = pin!(connection);
    let left = tokio::select! {
        left = connection.as_mut() => left,
        () = ended(&over, lifetime) => {
            over.cancel();
            connection.as_mut().graceful_shutdown();
            timeout(FAREWELL, connection).await.unwrap_or(Ok(()))
        }
    };
    if let Err(error) = left {
        tracing::debug!(%error, "a peer's connection broke");
    }
}

async fn ended(over: &CancellationToken, lifetime: Option<Duration>) {
    match lifetime {
        None => over.cancelled().await,
        // Past its time it is over just the same.
        Some(lifetime) => drop(timeout(lifetime, over.cancelled()).await),
    }
}

async fn accepted<T>(accept: io::Result<T>, on: impl Display) -> Option<T> {
    match accept {
        Ok(accepted) => Some(accepted),
        Err(error) => {
            tracing::warn!(%error, "the core cannot accept a connection on {on}");
            clock::pause(Duration::from_millis(100)).await;
            None
        }
    }
}

static CROWDED: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

const SWEEP: Duration = Duration::from_secs(1);
/// Connections on the unix socket.
const MAX_CONNECTIONS: usize = 1024;
/// Of those, connections of peers that are neither SYSTEM nor a front.
const MAX_LOCALS: usize = 512;
/// TLS handshakes at once.
const MAX_HANDSHAKES: usize = 512;
/// TLS connections of those whose key counts,
const MAX_KEYS: usize = 1024;
/// and of everybody else.
const MAX_STRANGERS: usize = 256;
/// A local program's connection lasts no longer; it may connect again.
const LOCAL_LIFETIME: Duration = Duration::from_secs(60);
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a head, and so of what is read ahead for a connection: of fronts and keys,
pub(in crate::core_server) const MAX_HEAD: usize = 64 << 10;
/// and of everybody else.
pub(in crate::core_server) const STRANGERS_HEAD: usize = 16 << 10;
const FAREWELL: Duration = Duration::from_secs(5);

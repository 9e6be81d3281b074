//! Sockets: bound before anything is served, accepted from until the gateway stops.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::connection::{self, Connection};
use super::{Front, status};
use crate::clock;
use crate::config::checked;
use crate::pki::shown::Shown;

/// What is spoken on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaks {
    /// Plain HTTP.
    Http,
    /// HTTP in TLS.
    Https,
    /// The status pages, in plain HTTP.
    Status,
}

impl Speaks {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
            Self::Status => "status",
        }
    }
}

/// A bound socket.
#[derive(Debug)]
pub struct Listener {
    speaks: Speaks,
    socket: StdListener,
}

impl Listener {
    /// A listening socket that somebody else bound.
    ///
    /// # Errors
    /// It cannot be made to wait for nobody.
    pub fn new(speaks: Speaks, socket: StdListener) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Self { speaks, socket })
    }
}

/// A socket could not be bound.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for {}: {source}. {}", .speaks.as_str(), mend(.source))]
pub struct BindError {
    speaks: Speaks,
    address: SocketAddr,
    source: io::Error,
}

fn mend(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            "Another program holds the port: stop it, or choose another in [front]"
        }
        io::ErrorKind::PermissionDenied => {
            "Ports below 1024 need root (run_as_user gives its rights up afterwards) or CAP_NET_BIND_SERVICE"
        }
        io::ErrorKind::AddrNotAvailable => "The host has no such address: correct it in [front]",
        _ => "Check the address in [front]",
    }
}

/// Binds every socket of the front, or none. `taken` are open already: of what they
/// speak, nothing more is bound.
///
/// # Errors
/// The first that cannot be bound, and why.
pub fn bind(front: &checked::Front, taken: Vec<Listener>) -> Result<Vec<Listener>, BindError> {
    let plain = front.listen.iter().map(|address| (Speaks::Http, *address));
    let tls = front.listen_tls.iter().map(|address| (Speaks::Https, *address));
    let status = front.listen_status.iter().map(|address| (Speaks::Status, *address));
    let bound = plain
        .chain(tls)
        .chain(status)
        .filter(|(speaks, _)| taken.iter().all(|listener| listener.speaks != *speaks))
        .map(|(speaks, address)| {
            StdListener::bind(address)
                .and_then(|socket| Listener::new(speaks, socket))
                .map_err(|source| BindError { speaks, address, source })
        })
        .collect::<Result<Vec<_>, _>>()?;
    Ok(taken.into_iter().chain(bound).collect())
}

/// Accepts on all sockets, each in a task of its own.
///
/// # Errors
/// The runtime does not take a socket.
pub fn serve(front: &Arc<Front>, listeners: Vec<Listener>) -> io::Result<()> {
    let places = Arc::new(Semaphore::new(front.live().settings.front.max_connections));
    // Whoever watches the gateway must see it when clients have taken every place.
    let status_places = Arc::new(Semaphore::new(MAX_STATUS_CONNECTIONS));
    for Listener { speaks, socket } in listeners {
        let socket = TcpListener::from_std(socket)?;
        let address = socket.local_addr()?;
        tracing::info!(event = "listening", what = speaks.as_str(), %address, "listening");
        let places = if speaks == Speaks::Status { &status_places } else { &places };
        let accepting = accept(Arc::clone(front), socket, speaks, Arc::clone(places));
        tokio::spawn(front.stop.clone().run_until_cancelled_owned(accepting));
    }
    Ok(())
}

async fn accept(front: Arc<Front>, socket: TcpListener, speaks: Speaks, places: Arc<Semaphore>) {
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, peer)) => {
                let task = one(Arc::clone(&front), stream, peer, speaks, place);
                front.connections.spawn(task);
            }
            Err(error) => {
                // Out of descriptors, or a peer that left at once: neither ends the gateway.
                tracing::warn!(%error, "a connection could not be accepted");
                clock::pause(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn one(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    speaks: Speaks,
    _place: OwnedSemaphorePermit,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    front.metrics.connections.inc();
    match speaks {
        Speaks::Status => Box::pin(status::serve(&front, TokioIo::new(stream))).await,
        Speaks::Http => {
            // Not held while the connection lives: what a reload replaces ends then.
            let live = front.live();
            let trusted = &live.settings.front.trusted_proxies;
            let connection = Arc::new(Connection::new(peer.ip(), None, None, trusted));
            drop(live);
            Box::pin(connection::serve(Arc::clone(&front), connection, stream)).await;
        }
        Speaks::Https => {
            // A handshake that begins on one certificate keeps that certificate's binding.
            let live = front.live();
            let limit = live.settings.front.header_timeout;
            if let Some(tls) = &live.tls {
                let acceptor = TlsAcceptor::from(Arc::clone(tls.config()));
                match Box::pin(timeout(limit, acceptor.accept(stream))).await {
                    Ok(Ok(stream)) => {
                        let binding = Some(Arc::clone(tls.binding()));
                        let shown = stream.get_ref().1.peer_certificates().and_then(Shown::new);
                        let trusted = &live.settings.front.trusted_proxies;
                        let connection =
                            Arc::new(Connection::new(peer.ip(), binding, shown, trusted));
                        drop(live);
                        Box::pin(connection::serve(Arc::clone(&front), connection, stream)).await;
                    }
                    Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
                    Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
                }
            }
        }
    }
    front.metrics.connections.dec();
}

/// Connections to the status pages at once.
const MAX_STATUS_CONNECTIONS: usize = 64;

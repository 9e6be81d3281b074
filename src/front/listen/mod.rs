//! Sockets: bound before anything is served, accepted from until the gateway stops.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::Front;
use super::connection::places::{AddressFull, Place, Places};
use super::connection::serve;
use super::connection::{Asked, Connection};
use super::door::status;
use super::sign_on::certificate;
use super::tls::{Handshake, handshake};
use crate::clock;
use crate::config::checked;
use crate::pki::peer::presented::PresentedCertificate;
use crate::process::sockets;

/// What is spoken on a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Speaks {
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
pub(crate) struct Listener {
    speaks: Speaks,
    socket: StdListener,
}

impl Listener {
    /// A listening socket that somebody else bound.
    ///
    /// # Errors
    /// It cannot be made to wait for nobody.
    pub(crate) fn new(speaks: Speaks, socket: StdListener) -> io::Result<Self> {
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
pub(crate) fn bind(
    front: &checked::Front,
    taken: Vec<Listener>,
) -> Result<Vec<Listener>, BindError> {
    let plain = front.listen.iter().map(|address| (Speaks::Http, *address));
    let tls = front.listen_tls.iter().map(|address| (Speaks::Https, *address));
    let status = front.listen_status.iter().map(|address| (Speaks::Status, *address));
    let addresses = front.addresses();
    let bound = plain
        .chain(tls)
        .chain(status)
        .filter(|(speaks, _)| taken.iter().all(|listener| listener.speaks != *speaks))
        .map(|(speaks, address)| {
            sockets::listen(address, &addresses)
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
pub(crate) fn serve(front: &Arc<Front>, listeners: Vec<Listener>) -> io::Result<()> {
    let settings = &front.live().settings.front;
    let places = Places::new(settings.max_connections, settings.connections_per_address());
    // Whoever watches the gateway must see it when clients have taken every place.
    let status_places = Places::new(MAX_STATUS_CONNECTIONS, MAX_STATUS_CONNECTIONS);
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

async fn accept(front: Arc<Front>, socket: TcpListener, speaks: Speaks, places: Arc<Places>) {
    loop {
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of descriptors, or a peer that left at once: neither ends the gateway.
                tracing::warn!(%error, "a connection could not be accepted");
                clock::pause(Duration::from_millis(50)).await;
                continue;
            }
        };
        let trusted = front.is_trusted(peer.ip());
        match places.take(peer.ip(), trusted).await {
            Ok(place) => {
                let task = one(Arc::clone(&front), stream, peer, speaks, place);
                front.connections.spawn(task);
            }
            Err(AddressFull) => {
                let (front, places) = (Arc::clone(&front), Arc::clone(&places));
                tokio::spawn(one_later(front, stream, peer, speaks, places));
            }
        }
    }
}

/// Serves a connection of an address that has as many as it may, as soon as one
/// of them is idle. Others do not wait behind it.
async fn one_later(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    speaks: Speaks,
    places: Arc<Places>,
) {
    match places.take_soon(peer.ip()).await {
        Ok(place) => {
            let task = one(Arc::clone(&front), stream, peer, speaks, place);
            front.connections.spawn(task);
        }
        Err(AddressFull) => {
            front.metrics.connection_ended("address_full");
            tracing::debug!(%peer, "an address has max_connections_per_address connections, and all are at work");
        }
    }
}

async fn one(front: Arc<Front>, stream: TcpStream, peer: SocketAddr, speaks: Speaks, place: Place) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    front.metrics.connections.inc();
    let place = Arc::new(place);
    tokio::select! {
        () = Box::pin(speak(&front, stream, peer, speaks, &place)) => {}
        () = place.activity.asked_to_end() => {
            front.metrics.connection_ended("place_needed");
            tracing::debug!(%peer, "an idle connection gave way to a new one");
        }
    }
    front.metrics.connections.dec();
}

async fn speak(
    front: &Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    speaks: Speaks,
    place: &Arc<Place>,
) {
    match speaks {
        Speaks::Status => status::serve(front, TokioIo::new(stream)).await,
        Speaks::Http => {
            // Not held while the connection lives: what a reload replaces ends then.
            let live = front.live();
            let trusted = &live.settings.front.trusted_proxies;
            let connection = Connection::new(peer.ip(), None, None, trusted);
            drop(live);
            let connection = connection.to(stream.local_addr().ok());
            let connection = Arc::new(connection.at(place, Asked::default()));
            serve::serve(front, &connection, stream).await;
        }
        Speaks::Https => speak_tls(front, stream, peer, place).await,
    }
}

async fn speak_tls(front: &Arc<Front>, stream: TcpStream, peer: SocketAddr, place: &Arc<Place>) {
    // A handshake that begins on one certificate keeps that certificate's binding.
    let live = front.live();
    let limit = live.settings.front.header_timeout;
    let trusted = &live.settings.front.trusted_proxies;
    let Some(tls) = &live.tls else { return };
    let mut first = [0];
    let peeked = tokio::select! {
        biased;
        peeked = timeout(limit, stream.peek(&mut first)) => peeked,
        () = front.stop.cancelled() => return,
    };
    match peeked {
        Ok(Ok(read)) if read > 0 => {}
        _ => return,
    }
    if first[0].is_ascii_alphabetic() {
        let connection = Connection::new(peer.ip(), None, None, trusted);
        drop(live);
        return serve::refuse_plain(front, &connection, stream).await;
    }
    let local = stream.local_addr().ok();
    let asks = |name: Option<&str>| certificate::asks(&live.settings, name);
    match Box::pin(timeout(limit, handshake(tls, stream, asks))).await {
        Ok(Ok(Handshake { stream, asked })) => {
            let binding = Some(Arc::clone(tls.binding()));
            let shown = stream.get_ref().1.peer_certificates().and_then(PresentedCertificate::new);
            let connection = Connection::new(peer.ip(), binding, shown, trusted);
            drop(live);
            let connection = Arc::new(connection.to(local).at(place, asked));
            serve::serve(front, &connection, stream).await;
        }
        Ok(Err(error)) => tracing::debug!(%peer, %error, "a TLS handshake failed"),
        Err(_) => tracing::debug!(%peer, "a TLS handshake took too long"),
    }
}

/// Connections to the status pages at once.
const MAX_STATUS_CONNECTIONS: usize = 64;

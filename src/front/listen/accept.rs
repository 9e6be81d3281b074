//! Accepts connections until the gateway stops, and gives each a place.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::handshake::{self, Arrived};
use super::{Listener, Speaks};
use crate::clock;
use crate::front::connection::places::{AddressFull, Place, Places};
use crate::front::connection::serve::Server;
use crate::front::door::{Door, status};
use crate::front::state::Front;

/// Accepts on all sockets, each in a task of its own.
///
/// # Errors
/// The runtime does not take a socket.
pub(in crate::front) fn serve(front: &Arc<Front>, listeners: Vec<Listener>) -> io::Result<()> {
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
                let task = serve_connection(Arc::clone(&front), stream, peer, speaks, place);
                front.connections.spawn(task);
            }
            Err(AddressFull) => {
                let (front, places) = (Arc::clone(&front), Arc::clone(&places));
                tokio::spawn(serve_later(front, stream, peer, speaks, places));
            }
        }
    }
}

/// Serves a connection of an address that has as many as it may, as soon as one
/// of them is idle. Others do not wait behind it.
async fn serve_later(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    speaks: Speaks,
    places: Arc<Places>,
) {
    match places.take_soon(peer.ip()).await {
        Ok(place) => {
            let task = serve_connection(Arc::clone(&front), stream, peer, speaks, place);
            front.connections.spawn(task);
        }
        Err(AddressFull) => {
            front.metrics.connection_ended("address_full");
            tracing::debug!(%peer, "an address has max_connections_per_address connections, and all are busy");
        }
    }
}

async fn serve_connection(
    front: Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    speaks: Speaks,
    place: Place,
) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "no TCP_NODELAY");
    }
    front.metrics.connections.inc();
    let place = Arc::new(place);
    tokio::select! {
        () = Box::pin(serve_at(&front, stream, peer, speaks, &place)) => {}
        () = place.activity.asked_to_end() => {
            front.metrics.connection_ended("place_needed");
            tracing::debug!(%peer, "an idle connection was closed for a new one");
        }
    }
    front.metrics.connections.dec();
}

/// Serves a connection that has a place.
async fn serve_at(
    front: &Arc<Front>,
    stream: TcpStream,
    peer: SocketAddr,
    speaks: Speaks,
    place: &Arc<Place>,
) {
    let arrived = match speaks {
        Speaks::Status => return status::serve(front, TokioIo::new(stream)).await,
        Speaks::Http => Some(handshake::plain(front, stream, peer, place)),
        Speaks::Https => handshake::tls(front, stream, peer, place).await,
    };
    let server = Server {
        service: Door::new(front),
        limits: front.live().limits,
        metrics: &front.metrics,
        stop: &front.stop,
    };
    match arrived {
        Some(Arrived::Plain(connection, stream)) => server.serve(&connection, stream).await,
        Some(Arrived::Tls(connection, stream)) => server.serve(&connection, stream).await,
        Some(Arrived::PlainOnTls(stream)) => {
            server.refuse_plain(peer.ip().to_canonical(), stream).await;
        }
        None => {}
    }
}

/// Connections to the status pages at once.
const MAX_STATUS_CONNECTIONS: usize = 64;

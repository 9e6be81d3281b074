//! Sockets: bound before anything is served, accepted from until the gateway stops.

use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};

use crate::config::section;
use crate::process::sockets;

mod accept;
mod handshake;

pub(in crate::front) use accept::serve;

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
            "Another program uses the port: stop it, or choose another port in [front]"
        }
        io::ErrorKind::PermissionDenied => {
            "Ports below 1024 need root (with run_as_user, Doorward gives up root's rights afterwards) or CAP_NET_BIND_SERVICE"
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
    front: &section::Front,
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

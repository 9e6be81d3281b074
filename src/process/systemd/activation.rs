//! Sockets that are open already when Doorward starts (sd_listen_fds(3), systemd.socket(5)).

use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixListener;

use nix::sys::socket::{
    AddressFamily, SockaddrLike, SockaddrStorage, getsockname, getsockopt, sockopt,
};

use crate::process::privileges;

/// The sockets that were handed over, by what they are for.
#[derive(Debug, Default)]
pub(crate) struct Activated {
    /// `FileDescriptorName=front`: plain HTTP.
    pub front: Vec<TcpListener>,
    /// `FileDescriptorName=front-tls`: HTTPS.
    pub front_tls: Vec<TcpListener>,
    /// `FileDescriptorName=status`: the status pages.
    pub status: Vec<TcpListener>,
    /// `FileDescriptorName=core`: the core's unix socket.
    pub core: Vec<UnixListener>,
}

/// Why what was handed over cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ActivationError {
    /// The environment is not as sd_listen_fds(3) describes it.
    #[error(
        "the sockets from systemd cannot be read ({0}); start Doorward with a systemd socket unit or with systemd-socket-activate --fdname"
    )]
    Environment(#[source] io::Error),
    /// Nobody knows what a socket is for.
    #[error(
        "systemd passed a socket with the name {0:?}; set FileDescriptorName= front, front-tls, status or core in its socket unit"
    )]
    Name(String),
    /// Not what its name says.
    #[error(
        "the socket {name:?} from systemd is not a listening {wanted} socket; set ListenStream= to {example} in its socket unit"
    )]
    Kind {
        name: String,
        /// What it should be.
        wanted: &'static str,
        /// How that is written.
        example: &'static str,
    },
    /// There can be one of them only.
    #[error(
        "systemd passed {1} sockets with the name {0:?}, but only one is allowed; keep one ListenStream="
    )]
    TooMany(&'static str, usize),
}

/// Takes the sockets that were handed over, once for the process; nothing where
/// nobody handed over any.
///
/// # Errors
/// See [`ActivationError`].
pub(crate) fn sockets() -> Result<Activated, ActivationError> {
    let mut activated = Activated::default();
    if !is_for_us() {
        return Ok(activated);
    }
    let handed = sd_notify::listen_fds_with_names().map_err(ActivationError::Environment)?;
    for (number, name) in handed {
        let socket = privileges::adopt(number);
        match name.as_str() {
            "front" => activated.front.push(tcp(socket, name)?),
            "front-tls" => activated.front_tls.push(tcp(socket, name)?),
            "status" => activated.status.push(tcp(socket, name)?),
            "core" => activated.core.push(unix(socket, name)?),
            _ => return Err(ActivationError::Name(name)),
        }
    }
    match (activated.status.len(), activated.core.len()) {
        (2.., _) => Err(ActivationError::TooMany("status", activated.status.len())),
        (_, 2..) => Err(ActivationError::TooMany("core", activated.core.len())),
        _ => Ok(activated),
    }
}

/// Whether the variables are for this process. A child inherits those of its
/// parent, with descriptors that it has not.
fn is_for_us() -> bool {
    let addressee = std::env::var("LISTEN_PID").ok();
    addressee.is_none_or(|pid| pid.parse() == Ok(std::process::id()))
}

fn tcp(socket: OwnedFd, name: String) -> Result<TcpListener, ActivationError> {
    match family(&socket) {
        Some(AddressFamily::Inet | AddressFamily::Inet6) => Ok(TcpListener::from(socket)),
        _ => Err(wrong(socket, name, "TCP", "an address and a port")),
    }
}

fn unix(socket: OwnedFd, name: String) -> Result<UnixListener, ActivationError> {
    match family(&socket) {
        Some(AddressFamily::Unix) => Ok(UnixListener::from(socket)),
        _ => Err(wrong(socket, name, "unix", "a path")),
    }
}

fn wrong(
    socket: OwnedFd,
    name: String,
    wanted: &'static str,
    example: &'static str,
) -> ActivationError {
    drop(socket);
    ActivationError::Kind { name, wanted, example }
}

/// The family of a listening stream socket.
fn family(socket: &impl AsFd) -> Option<AddressFamily> {
    let listens = getsockopt(&socket.as_fd(), sockopt::AcceptConn).ok()?;
    let stream =
        getsockopt(&socket.as_fd(), sockopt::SockType).ok()? == nix::sys::socket::SockType::Stream;
    let address: SockaddrStorage = getsockname(socket.as_fd().as_raw_fd()).ok()?;
    (listens && stream).then(|| address.family()).flatten()
}

//! The core's sockets.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::process::sockets;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A core answers there.
    #[error("another core listens on {}: stop it, or give this one another core.listen", .0.display())]
    InUse(PathBuf),
    /// Something else has that name; it is left alone.
    #[error("{} exists and is no socket: remove it, or choose another core.listen", .0.display())]
    NoSocket(PathBuf),
    /// The system refuses an address of TLS.
    #[error(
        "the core cannot listen on {address}: {source}. Correct core.listen_tls, or stop what holds the port; ports below 1024 need root or CAP_NET_BIND_SERVICE"
    )]
    Address {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The system refuses.
    #[error("cannot listen on {}: {source}. The account that starts the core must own the directory (core.listen)", path.display())]
    System {
        /// The socket, or its directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Listens on `path`, for everybody on this host: peers are judged by their
/// uid. The directory is made when it does not exist; the socket of a process
/// that died is replaced.
///
/// # Errors
/// See [`BindError`].
pub(super) fn bind(path: &Path) -> Result<UnixListener, BindError> {
    let refused = |source| BindError::System { path: path.to_owned(), source };
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(refused)?;
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(refused(error)),
        Ok(found) if !found.file_type().is_socket() => {
            return Err(BindError::NoSocket(path.to_owned()));
        }
        Ok(_) => match UnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                fs::remove_file(path).map_err(refused)?;
            }
            Err(error) => return Err(refused(error)),
            Ok(_) => return Err(BindError::InUse(path.to_owned())),
        },
    }
    let listener = UnixListener::bind(path).map_err(refused)?;
    fs::set_permissions(path, Permissions::from_mode(0o666)).map_err(refused)?;
    Ok(listener)
}

/// Listens for TLS on one address of `all`.
///
/// # Errors
/// [`BindError::Address`].
pub(super) fn bind_tls(address: SocketAddr, all: &[SocketAddr]) -> Result<TcpListener, BindError> {
    sockets::listen(address, all).map_err(|source| BindError::Address { address, source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dead_socket_is_replaced_and_a_live_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("run/doorward/core.sock");
        let listener = bind(&path).unwrap();
        assert!(matches!(bind(&path), Err(BindError::InUse(_))));
        drop(listener);
        let _again = bind(&path).unwrap();
        UnixStream::connect(&path).unwrap();
    }

    #[test]
    fn everybody_can_connect() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("core.sock");
        let _listener = bind(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o666);
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("core.sock");
        fs::write(&path, "precious").unwrap();
        assert!(matches!(bind(&path), Err(BindError::NoSocket(_))));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }
}

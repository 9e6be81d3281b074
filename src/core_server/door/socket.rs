//! The core's sockets.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use crate::process::files::access::{self, Unreadable};
use crate::process::files::rights::{Need, quoted};
use crate::process::sockets;

/// Why there is no socket.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// A core answers there.
    #[error("another core listens on {}; stop it, or give this one another core.listen", .0.display())]
    InUse(PathBuf),
    /// Something else has that name; it is left alone.
    #[error("{} exists and is not a socket; remove it, or choose another core.listen", .0.display())]
    NoSocket(PathBuf),
    /// The system refuses an address of TLS.
    #[error(
        "the core cannot listen on {address}: {source}. Correct core.listen_tls, or stop the program that uses the port; ports below 1024 need root or CAP_NET_BIND_SERVICE"
    )]
    Address {
        /// Where.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A socket that nobody listens on cannot be taken away.
    #[error("{} is a socket of a process that has ended, and may not be replaced ({source}); run as root: rm {}", path.display(), quoted(path))]
    Stale {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A folder of the socket may not be used.
    #[error("cannot listen on {}: {refused}", path.display())]
    Folder {
        /// The socket.
        path: PathBuf,
        /// Which folder, and what lets the account in.
        refused: Box<Unreadable>,
    },
    /// The system refuses.
    #[error("cannot listen on {}: {source}; check its folder, or set core.listen", path.display())]
    System {
        /// The socket.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What there is at a path where a socket is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Nothing.
    Free,
    /// A socket of a process that has ended: it is replaced.
    Stale,
    /// A socket that somebody listens on.
    Taken,
    /// Something else.
    NoSocket,
}

impl Place {
    /// Looks at a path. Whether somebody listens is found out by connecting; where that is
    /// not permitted, the kernel's table of sockets tells (proc(5)).
    ///
    /// # Errors
    /// What the system says.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Free),
            Err(error) => return Err(error),
            Ok(found) if !found.file_type().is_socket() => return Ok(Self::NoSocket),
            Ok(_) => {}
        }
        match UnixStream::connect(path) {
            Ok(_) => Ok(Self::Taken),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(Self::Stale),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let table = fs::read_to_string("/proc/self/net/unix")?;
                Ok(if is_listening(&table, path) { Self::Taken } else { Self::Stale })
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether a socket of this name or file listens. A relative name in the table could be
/// any folder's.
fn is_listening(table: &str, path: &Path) -> bool {
    let file =
        |path: &Path| fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()));
    let own = file(path);
    table
        .lines()
        .filter_map(|line| {
            let mut columns = line.split_ascii_whitespace();
            let listens = columns.nth(3)? == ACCEPTS;
            let path = columns.nth(3)?;
            let begins = line.rfind(path)?;
            listens.then(|| Path::new(line.get(begins..).unwrap_or(path)))
        })
        .any(|listed| {
            let same_file = own.is_some() && file(listed) == own;
            listed == path
                || same_file
                || (listed.is_relative() && listed.file_name() == path.file_name())
        })
}

/// Listens on `path`, for everybody on this host: peers are judged by their
/// uid. The directory is made when it does not exist; the socket of a process
/// that died is replaced.
///
/// # Errors
/// See [`BindError`].
pub(in crate::core_server) fn bind(path: &Path) -> Result<UnixListener, BindError> {
    let refused = |source: io::Error| refused(path, source);
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o755).create(directory).map_err(refused)?;
    }
    match Place::at(path).map_err(refused)? {
        Place::Free => {}
        Place::NoSocket => return Err(BindError::NoSocket(path.to_owned())),
        Place::Taken => return Err(BindError::InUse(path.to_owned())),
        Place::Stale => {
            let stale = |source| BindError::Stale { path: path.to_owned(), source };
            fs::remove_file(path).map_err(stale)?;
        }
    }
    let listener = UnixListener::bind(path).map_err(refused)?;
    fs::set_permissions(path, Permissions::from_mode(0o666)).map_err(refused)?;
    Ok(listener)
}

/// Why the system refuses a socket: mostly its folder, or the one above in which that was
/// to be made.
fn refused(path: &Path, source: io::Error) -> BindError {
    let folder = path.ancestors().skip(1).find(|above| above.exists());
    match folder.map(|folder| access::may(folder, Need::Fill)) {
        Some(Err(refused)) if source.kind() == io::ErrorKind::PermissionDenied => {
            BindError::Folder { path: path.to_owned(), refused: Box::new(refused) }
        }
        _ => BindError::System { path: path.to_owned(), source },
    }
}

/// A socket that accepts connections, in the flags of the kernel's table (__SO_ACCEPTCON).
const ACCEPTS: &str = "00010000";

/// Listens for TLS on one address of `all`.
///
/// # Errors
/// [`BindError::Address`].
pub(in crate::core_server) fn bind_tls(
    address: SocketAddr,
    all: &[SocketAddr],
) -> Result<TcpListener, BindError> {
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
    fn the_table_of_the_kernel_tells_who_listens_by_name_or_by_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a socket");
        let listener = UnixListener::bind(&path).unwrap();
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(directory.path(), &link).unwrap();
        let table = || fs::read_to_string("/proc/self/net/unix").unwrap();
        assert!(is_listening(&table(), &path));
        assert!(is_listening(&table(), &link.join("a socket")));
        drop(listener);
        assert!(!is_listening(&table(), &path));
        let line = "0000: 00000002 00000000 00010000 0001 01 12345 core.sock\n";
        assert!(is_listening(line, Path::new("/run/doorward/core.sock")));
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

//! The gateway that this configuration runs, if it runs now.

use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use self::process::Process;
use crate::config::Settings;

pub(super) mod process;
pub(super) mod run_as;
pub(super) mod running;

/// Its processes, as far as they can be seen.
#[derive(Debug, Default)]
pub(super) struct Gateway {
    /// The file that was checked.
    configuration: Option<PathBuf>,
    /// Who listens on its core's socket.
    core: Option<Process>,
    /// Whether anybody listens anywhere it would.
    anybody_listens: bool,
}

impl Gateway {
    /// Looks for it. The user that starts it sees most.
    pub(super) fn find(settings: &Settings, file: Option<&Path>) -> Self {
        let socket = &settings.core.listen;
        let answers = UnixStream::connect(socket).is_ok();
        Self {
            configuration: file.and_then(|file| file.canonicalize().ok()),
            anybody_listens: answers || addresses(settings).into_iter().any(is_taken),
            core: Process::listening_on(socket),
        }
    }

    /// Whether a Doorward is surely another one than that of this configuration.
    pub(super) fn is_another(&self, process: &Process) -> bool {
        let named = process.configuration().and_then(|path| path.canonicalize().ok());
        let same_file = named.is_some() && named == self.configuration;
        if same_file || process.is_front_alone() {
            return false;
        }
        match &self.core {
            Some(core) => core.pid != process.pid,
            None => !self.anybody_listens,
        }
    }
}

fn addresses(settings: &Settings) -> Vec<SocketAddr> {
    let front = &settings.front;
    let core = settings.core.tls.iter().flat_map(|tls| &tls.listen);
    front
        .listen
        .iter()
        .chain(&front.listen_tls)
        .chain(&front.listen_status)
        .chain(core)
        .copied()
        .collect()
}

fn is_taken(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_err_and(|error| error.kind() == ErrorKind::AddrInUse)
}

//! The sockets of a role: passed by systemd, or bound here.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use super::ServeError;
use crate::cli::role::Role;
use crate::config::Settings;
use crate::config::section::CoreAddress;
use crate::core_server;
use crate::front::{self, FrontError, Listener, Speaks};
use crate::process::systemd::activation::{self, Activated};

/// What a role listens on, before it serves anything.
#[derive(Debug)]
pub(super) struct Sockets {
    /// The front's, all of them.
    pub(super) front: Vec<Listener>,
    /// The core's, where it was handed over. Else the account that the gateway runs
    /// as binds it, so that it belongs to that account and root touches no folder of it.
    pub(super) core: Option<UnixListener>,
    /// The core's for TLS.
    pub(super) core_tls: Vec<TcpListener>,
    /// Addresses that come from outside the file.
    pub(super) handed: Handed,
}

/// Addresses of sockets that were handed over: they stand for the ones in the file,
/// after every reload too.
#[derive(Clone, Debug, Default)]
pub(super) struct Handed {
    front: Vec<SocketAddr>,
    front_tls: Vec<SocketAddr>,
    status: Option<SocketAddr>,
    core: Option<PathBuf>,
}

impl Sockets {
    /// Takes what was handed over and binds what else the front needs, or nothing.
    ///
    /// # Errors
    /// The first socket that cannot be had.
    pub(super) fn open(role: Role, settings: &mut Settings) -> Result<Self, ServeError> {
        let activated = activation::sockets()?;
        let handed = Handed::of(&activated)?;
        let Activated { front, front_tls, status, core } = activated;
        if role == Role::Core && !(front.is_empty() && front_tls.is_empty() && status.is_empty()) {
            return Err(ServeError::NotOurs("a front"));
        }
        if role == Role::Front && !core.is_empty() {
            return Err(ServeError::NotOurs("a core"));
        }
        handed.replace(settings);
        let taken = listeners(Speaks::Http, front)
            .chain(listeners(Speaks::Https, front_tls))
            .chain(listeners(Speaks::Status, status))
            .collect::<io::Result<Vec<_>>>()
            .map_err(|error| ServeError::System("use of the sockets it hands over", error))?;
        let front = match role {
            Role::Core => Vec::new(),
            Role::Front | Role::Both => {
                front::bind(&settings.front, taken).map_err(FrontError::from)?
            }
        };
        let core_tls = match role {
            Role::Front => Vec::new(),
            Role::Core | Role::Both => core_server::bind_tls(&settings.core)?,
        };
        Ok(Self { front, core: core.into_iter().next(), core_tls, handed })
    }
}

impl Handed {
    fn of(activated: &Activated) -> Result<Self, ServeError> {
        let refused = |error| ServeError::System("address of a socket it hands over", error);
        let addresses = |sockets: &[TcpListener]| {
            sockets.iter().map(TcpListener::local_addr).collect::<io::Result<Vec<_>>>()
        };
        let core = match activated.core.first() {
            None => None,
            Some(socket) => {
                let address = socket.local_addr().map_err(refused)?;
                Some(address.as_pathname().ok_or(ServeError::Pathless)?.to_owned())
            }
        };
        Ok(Self {
            front: addresses(&activated.front).map_err(refused)?,
            front_tls: addresses(&activated.front_tls).map_err(refused)?,
            status: addresses(&activated.status).map_err(refused)?.first().copied(),
            core,
        })
    }

    /// Puts these addresses in the place of those in the file.
    pub(super) fn replace(&self, settings: &mut Settings) {
        let front = &mut settings.front;
        if !self.front.is_empty() {
            front.listen.clone_from(&self.front);
        } else if front.listen_by_default && !self.front_tls.is_empty() {
            // The default listener is for those who name no address.
            front.listen.clear();
        }
        if !self.front_tls.is_empty() {
            front.listen_tls.clone_from(&self.front_tls);
        }
        front.listen_status = self.status.or(front.listen_status);
        if let Some(path) = &self.core {
            if front.core == CoreAddress::Unix(settings.core.listen.clone()) {
                front.core = CoreAddress::Unix(path.clone());
            }
            settings.core.listen.clone_from(path);
        }
    }
}

fn listeners(
    speaks: Speaks,
    sockets: Vec<TcpListener>,
) -> impl Iterator<Item = io::Result<Listener>> {
    sockets.into_iter().map(move |socket| Listener::new(speaks, socket))
}

//! Why a role does not start, or does not accept a new configuration.

use std::io;

use crate::config::ConfigErrors;
use crate::core_client::ClientError;
use crate::core_server::CoreError;
use crate::front::FrontError;
use crate::process::account::AccountError;
use crate::process::files::access::Unreadable;
use crate::process::files::ownership::FolderError;
use crate::process::privileges::PrivilegeError;
use crate::process::systemd::activation::ActivationError;

/// Why nothing runs.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The configuration is wrong: exit code 78.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// `serve` starts a core and is told to use another one.
    #[error(
        "[front] core names another socket than [core] listen: serve runs its own core; remove [front] core, or run `doorward front`"
    )]
    TwoCores,
    /// A socket was handed over that this role has no use for.
    #[error(
        "systemd passed a socket for {0}, which does not run here; name it in the socket unit of the service that runs it, or run `doorward serve`"
    )]
    NotOurs(&'static str),
    /// A unix socket was handed over under no path.
    #[error(
        "systemd passed the core's socket without a path, so no front can find it; set ListenStream=/run/doorward/core.sock in its socket unit"
    )]
    Pathless,
    /// What systemd hands over cannot be used.
    #[error(transparent)]
    Activation(#[from] ActivationError),
    /// There is no account to run as, or no way to it: exit code 78.
    #[error(transparent)]
    Account(#[from] AccountError),
    /// A folder that the account needs.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Root's rights could not be given up.
    #[error(transparent)]
    Privileges(#[from] PrivilegeError),
    /// A file that the configuration names is for others.
    #[error("{0}: {1}")]
    Unreadable(&'static str, Unreadable),
    /// The log or the audit log cannot be written.
    #[error("the audit log cannot be opened ({0}): check [log] audit and the rights of its folder")]
    Audit(#[source] io::Error),
    /// The runtime or a signal handler.
    #[error("the system has no {0}: {1}")]
    System(&'static str, #[source] io::Error),
    /// The metrics.
    #[error("the metrics cannot be set up: {0}")]
    Metrics(#[from] prometheus::Error),
    /// The front.
    #[error("the front cannot start")]
    Front(#[from] FrontError),
    /// The core.
    #[error("the core cannot start")]
    Core(#[from] CoreError),
    /// The front's key to the core.
    #[error(transparent)]
    Credentials(#[from] ClientError),
}

impl ServeError {
    /// Whether the configuration is to be corrected: exit code 78.
    pub const fn is_configuration(&self) -> bool {
        matches!(self, Self::Config(_) | Self::Account(_) | Self::Core(CoreError::Key(_)))
    }
}

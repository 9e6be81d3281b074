//! Why the core did not do what was asked, and what to do.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use nix::unistd::geteuid;
use thiserror::Error;

use crate::config::ConfigErrors;
use crate::config::section::CoreAddress;
use crate::core_client::{ClientError, CredentialError};
use crate::wire::{ErrorBody, ErrorWord};

#[derive(Debug, Error)]
pub(super) enum AdminError {
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    #[error(
        "the system cannot start the runtime ({0}): raise the limits of this process (ulimit -n)"
    )]
    Runtime(#[source] io::Error),
    #[error("there is no socket {}: is the core running, and is this its [core] listen? Name another with --socket PATH, or its configuration with --config FILE", .0.display())]
    NoSocket(PathBuf),
    #[error("nobody listens on {}: the core that made the socket has ended; start it again", .0.display())]
    Deserted(PathBuf),
    #[error("uid {uid} may not open {}: run this as root, or give the account rights on the socket's folder", path.display())]
    NotLetIn { path: PathBuf, uid: u32 },
    #[error(
        "the core at {core} does not answer ({source}): is it running, with [core] listen_tls at this address, and does a firewall let this host through?"
    )]
    Unreachable { core: String, source: io::Error },
    #[error(
        "the server at {core} is not trusted ({source}): name the authority of the core's certificate with --ca FILE, and use a host name that is in its certificate"
    )]
    Untrusted { core: String, source: io::Error },
    #[error(
        "the core at {core} cannot be asked: {source}. The options are --sslkey-file, --sslkey-pass-file and --ca"
    )]
    Credentials { core: String, source: Box<CredentialError> },
    #[error("{} `doorward admin peer` says which identity the core gives you (reference {} in the core's log)", .0.message, .0.reference)]
    NoAccess(ErrorBody),
    #[error(
        "no live session has an id that begins with {0}; `doorward admin session list` shows the live sessions"
    )]
    NoSession(String),
    #[error(
        "{0:?} is not the id of a session: an id has 8 to 64 hex digits, as in the list and in the audit log"
    )]
    OddId(String),
    #[error(
        "several sessions have ids that begin with {0}; give more digits (`doorward admin session list --json` has all 64)"
    )]
    SeveralSessions(String),
    #[error(transparent)]
    Other(ClientError),
    #[error("the answer cannot be written as JSON: {0}")]
    Json(#[source] serde_json::Error),
}

impl AdminError {
    /// What an error means to who sits at a terminal.
    pub(super) fn of(error: ClientError, address: &CoreAddress) -> Self {
        match (error, address) {
            (ClientError::Unreachable { source, .. }, CoreAddress::Unix(path)) => {
                let path = path.clone();
                match source.kind() {
                    io::ErrorKind::NotFound => Self::NoSocket(path),
                    io::ErrorKind::ConnectionRefused => Self::Deserted(path),
                    io::ErrorKind::PermissionDenied => {
                        Self::NotLetIn { path, uid: geteuid().as_raw() }
                    }
                    _ => {
                        Self::Other(ClientError::Unreachable { core: address.to_string(), source })
                    }
                }
            }
            (ClientError::Unreachable { core, source }, _) => Self::Unreachable { core, source },
            (ClientError::Untrusted { core, source }, _) => Self::Untrusted { core, source },
            (ClientError::Credentials { core, source }, _) => Self::Credentials { core, source },
            (ClientError::Refused(body), _) if body.error == ErrorWord::NoAccess => {
                Self::NoAccess(body)
            }
            (error, _) => Self::Other(error),
        }
    }

    /// 2: wrong usage; 78: wrong configuration; 1: everything else.
    pub(super) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Usage(_) | Self::OddId(_) => ExitCode::from(2),
            Self::Config(_) => ExitCode::from(78),
            _ => ExitCode::FAILURE,
        }
    }
}

//! Why the core did not answer, or refused.

use std::io;

use super::CredentialError;
use crate::wire::ErrorBody;

/// Why the core gave no answer, or not the one that was hoped for.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers, or not in time.
    #[error(
        "the core at {core} does not answer ({source}): is it running, and is this its address?"
    )]
    Unreachable {
        /// The core's socket, or its URL.
        core: String,
        /// What the system said.
        source: io::Error,
    },
    /// What answers cannot prove to be the core.
    #[error(
        "the server at {core} is not trusted ({source}); name the authority of the core's certificate in server_ssl_ca_file, and use a host name that is in the certificate"
    )]
    Untrusted {
        core: String,
        /// What the TLS library said.
        source: io::Error,
    },
    /// Our own key, or the authority to trust, cannot be used.
    #[error("the core at {core} cannot be asked: {source}")]
    Credentials { core: String, source: Box<CredentialError> },
    /// The core answered, and refused.
    #[error("{} (reference {} in the core's log)", .0.message, .0.reference)]
    Refused(ErrorBody),
    /// The session was opened by a mechanism of a newer version.
    #[error(
        "the core at {core} knows the session as opened by {mechanism:?}. This version does not know that mechanism, so it cannot tell where such a session is accepted; let both run the same version"
    )]
    UnknownMechanism {
        /// The core's socket, or its URL.
        core: String,
        /// Its word for the mechanism.
        mechanism: Box<str>,
    },
    /// What answers on the socket is no core, or one of another version.
    #[error(
        "the server at {core} does not answer like a core of this version: {what}; correct the address of the core, and run the same version on both sides"
    )]
    Protocol {
        /// The core's socket, or its URL.
        core: String,
        /// What was wrong with the answer.
        what: String,
    },
}

//! Why there is no TLS.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::pki::file::pair::PairError;
use crate::pki::peer::chain::AuthorityError;

/// A key or certificate that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// Key and certificate.
    #[error(transparent)]
    Pair(#[from] PairError),
    /// The authorities of clients' certificates.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The TLS library.
    #[error("TLS does not work: {0}")]
    Library(#[from] rustls::Error),
    /// A certificate that is none.
    #[error("the first certificate in {} cannot be read as X.509: {fault}; export it again", path.display())]
    OddCertificate { path: PathBuf, fault: String },
    /// No self-signed certificate could be made.
    #[error(
        "cannot make a self-signed certificate for {names}: {source}; set server_ssl_key_file, or correct server_hostname"
    )]
    Generate { names: String, source: rcgen::Error },
    /// A self-signed certificate could not be kept.
    #[error("cannot keep the self-signed certificate as {}: {source}; state_path must be a folder that the gateway's user may write to", path.display())]
    Write { path: PathBuf, source: io::Error },
}

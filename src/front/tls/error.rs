//! Why there is no TLS.

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem;
use thiserror::Error;

use crate::pki::KeyError;

/// A key or certificate that cannot be used.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; it must exist and be readable for the gateway when it starts", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not well-formed PEM.
    #[error("{} is damaged: {fault}; export it again as PEM", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        fault: String,
    },
    /// The private key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate file without a certificate.
    #[error("{} holds no certificate in PEM (-----BEGIN CERTIFICATE-----); set server_ssl_cert_file to the file that does, or append the certificate", path.display())]
    NoCertificate {
        /// The file.
        path: PathBuf,
    },
    /// Key and certificate are not a pair.
    #[error("the key in {} does not belong to the first certificate in {}; the server's own certificate comes first, its chain after it", key.display(), certificate.display())]
    Mismatch {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
    },
    /// A pair that TLS cannot be spoken with.
    #[error("TLS cannot be spoken with the key in {} and the certificate in {}: {source}", key.display(), certificate.display())]
    Unusable {
        /// The key's file.
        key: PathBuf,
        /// The certificate's file.
        certificate: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
    /// A certificate that is none.
    #[error("the first certificate in {} cannot be read as X.509: {fault}; export it again", path.display())]
    OddCertificate {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        fault: String,
    },
    /// No self-signed certificate could be made.
    #[error(
        "cannot make a self-signed certificate for {names}: {source}; set server_ssl_key_file, or mend server_hostname"
    )]
    Generate {
        /// For which names.
        names: String,
        /// What the library says.
        source: rcgen::Error,
    },
    /// A self-signed certificate could not be kept.
    #[error("cannot keep the self-signed certificate as {}: {source}; state_path must be a folder the gateway's user may write", path.display())]
    Write {
        /// Where it should stand.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl TlsError {
    pub(super) fn damaged(path: &Path, error: &pem::Error) -> Self {
        Self::Damaged { path: path.to_owned(), fault: error.to_string() }
    }
}

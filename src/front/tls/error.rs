//! Why there is no TLS.

use std::io;
use std::path::{Path, PathBuf};

use rustls::pki_types::pem;
use thiserror::Error;

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
    /// A key file without a key.
    #[error("{} holds no private key in PEM (-----BEGIN PRIVATE KEY-----); set server_ssl_key_file to the file that does", path.display())]
    NoKey {
        /// The file.
        path: PathBuf,
    },
    /// A key that only a pass phrase opens.
    #[error("the private key in {path} is encrypted; set server_ssl_key_pass, or decrypt it with `openssl pkey -in {path} -out KEY.pem`, and let only the gateway's user read the result", path = path.display())]
    EncryptedKey {
        /// The file.
        path: PathBuf,
    },
    /// The pass phrase of a key cannot be had.
    #[error("the pass phrase for {} cannot be read: {source}; see server_ssl_key_pass and server_ssl_key_pass_file", path.display())]
    PassPhrase {
        /// The key's file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A key that is encrypted in OpenSSL's format of before PKCS#8.
    #[error("the private key in {path} is encrypted in an old format; convert it with `openssl pkcs8 -topk8 -in {path} -out KEY.pem`", path = path.display())]
    OldEncryption {
        /// The file.
        path: PathBuf,
    },
    /// The pass phrase does not open the key, or its encryption is not known here.
    #[error("the private key in {path} cannot be opened with the pass phrase that is configured ({fault}); if the phrase is right, convert the key with `openssl pkcs8 -topk8 -in {path} -out KEY.pem`", path = path.display())]
    Undecipherable {
        /// The file.
        path: PathBuf,
        /// What the library says.
        fault: String,
    },
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

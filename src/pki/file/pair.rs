//! A private key and its certificate, for one side of TLS.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::CertificateDer;
use rustls::sign::CertifiedKey;
use secrecy::{ExposeSecret as _, SecretSlice};

use super::pem;
use crate::config::section::CertificateFiles;
use crate::pki::{KeyError, KeySource, PrivateKey};

/// A key or certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PairError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; {}", path.display(), mend(.source))]
    Read {
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is not well-formed PEM.
    #[error("{} is damaged: {fault}; export it again as PEM", path.display())]
    Damaged {
        path: PathBuf,
        /// What the parser says.
        fault: String,
    },
    /// The private key cannot be had.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A certificate file without a certificate.
    #[error("{} contains no certificate in PEM (-----BEGIN CERTIFICATE-----); append it, or name the file that contains it", path.display())]
    NoCertificate { path: PathBuf },
    /// Key and certificate are not a pair.
    #[error("the key in {} does not belong to the first certificate in {}; put the certificate of the key first, and its chain after it", key.display(), certificate.display())]
    Mismatch { key: PathBuf, certificate: PathBuf },
    /// A pair that TLS cannot be spoken with.
    #[error("TLS does not work with the key in {} and the certificate in {}: {source}", key.display(), certificate.display())]
    Unusable {
        key: PathBuf,
        certificate: PathBuf,
        /// What the TLS library says.
        source: rustls::Error,
    },
}

/// Reads a key and its certificate with chain; the two must belong together.
/// `pass_setting` names the setting of the passphrase, for messages.
///
/// # Errors
/// [`PairError`] names the file, what is wrong with it, and what to do.
pub(crate) fn load(
    files: &CertificateFiles,
    pass_setting: &'static str,
) -> Result<Arc<CertifiedKey>, PairError> {
    let source = KeySource { path: &files.key, pass: files.key_pass.as_ref(), pass_setting };
    let key = PrivateKey::read(&source, SecretSlice::from(read(&files.key)?).expose_secret())?;
    let chain = chain(&files.certificate, &read(&files.certificate)?)?;
    let (key_path, certificate) = (files.key.clone(), files.certificate.clone());
    // The TLS library takes a key of its own, and does not wipe it.
    let der = key.der().expose_secret().clone_key();
    let pair = CertifiedKey::from_der(chain, der, &default_provider());
    pair.map(Arc::new).map_err(|source| match source {
        rustls::Error::InconsistentKeys(_) => PairError::Mismatch { key: key_path, certificate },
        source => PairError::Unusable { key: key_path, certificate, source },
    })
}

/// The certificates of a PEM file, at least one.
///
/// # Errors
/// [`PairError::Damaged`], [`PairError::NoCertificate`].
pub(crate) fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, PairError> {
    let chain = pem::certificates(pem)
        .map_err(|fault| PairError::Damaged { path: path.to_owned(), fault: fault.to_string() })?;
    let chain: Vec<_> = chain.into_iter().map(|(_, certificate)| certificate).collect();
    if chain.is_empty() {
        return Err(PairError::NoCertificate { path: path.to_owned() });
    }
    Ok(chain)
}

fn mend(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::NotFound => "put the file there, or correct its name in doorward.toml",
        _ => "it must be readable for the user that Doorward runs as",
    }
}

/// The bytes of such a file.
///
/// # Errors
/// [`PairError::Read`].
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, PairError> {
    fs::read(path).map_err(|source| PairError::Read { path: path.to_owned(), source })
}

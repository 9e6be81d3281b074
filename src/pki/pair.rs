//! A private key and its certificate, as one side of TLS shows them.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::sign::CertifiedKey;

use crate::config::checked::CertificateFiles;
use crate::front::tls::{TlsError, key_and_chain};

/// Reads a key and its certificate with chain; the two must belong together.
///
/// # Errors
/// [`TlsError`] names the file, what is wrong with it, and what to do.
pub fn load(files: &CertificateFiles) -> Result<Arc<CertifiedKey>, TlsError> {
    let (chain, key) = key_and_chain(files)?;
    let (key_path, certificate) = (files.key.clone(), files.certificate.clone());
    CertifiedKey::from_der(chain, key, &default_provider()).map(Arc::new).map_err(|source| {
        match source {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch { key: key_path, certificate },
            source => TlsError::Unusable { key: key_path, certificate, source },
        }
    })
}

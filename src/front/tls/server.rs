//! Everything a handshake needs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::{ServerConfig, crypto, version};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::binding::server_end_point;
use super::error::TlsError;
use super::self_signed;
use crate::clock::Timestamp;
use crate::config::checked::CertificateFiles;

/// Settings and certificate of a TLS listener, and the channel binding of
/// connections that begin with them.
#[derive(Clone, Debug)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    binding: Arc<[u8]>,
    expires_at: Timestamp,
}

impl ServerTls {
    /// Reads key, certificate and chain.
    ///
    /// # Errors
    /// [`TlsError`] names the file and what is wrong with it.
    pub fn load(files: &CertificateFiles) -> Result<Self, TlsError> {
        let key_pem = read(&files.key)?;
        let chain_pem = read(&files.certificate)?;
        Self::from_pem(files, &key_pem, &chain_pem)
    }

    /// Uses the self-signed certificate in the state folder; makes one where
    /// there is none, where it ends within a month, or where it lacks one of
    /// the names (host names and addresses, at least one).
    ///
    /// # Errors
    /// It can be neither used nor made.
    pub fn self_signed(
        state_path: &Path,
        names: &[String],
        now: Timestamp,
    ) -> Result<Self, TlsError> {
        let path = self_signed::obtain(state_path, names, now)?;
        Self::load(&CertificateFiles { key: path.clone(), certificate: path })
    }

    /// What rustls needs; every connection gets its own reference.
    pub const fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The application data of the channel binding (RFC 5929 tls-server-end-point).
    pub const fn binding(&self) -> &Arc<[u8]> {
        &self.binding
    }

    /// When the certificate ends.
    pub const fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    fn from_pem(
        files: &CertificateFiles,
        key_pem: &[u8],
        chain_pem: &[u8],
    ) -> Result<Self, TlsError> {
        let key = key(&files.key, key_pem)?;
        let chain = chain(&files.certificate, chain_pem)?;
        // `chain` gives at least one certificate.
        let leaf = chain.first().cloned().unwrap_or_else(|| CertificateDer::from(Vec::new()));
        let odd =
            |fault: String| TlsError::OddCertificate { path: files.certificate.clone(), fault };
        let binding = server_end_point(&leaf).map_err(|error| odd(error.to_string()))?;
        let expires_at = expires_at(&leaf).map_err(odd)?;
        let config = config(files, chain, key)?;
        Ok(Self { config: Arc::new(config), binding: binding.into(), expires_at })
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, TlsError> {
    fs::read(path).map_err(|source| TlsError::Read { path: path.to_owned(), source })
}

/// The certificates of a PEM file, at least one.
pub(super) fn chain(path: &Path, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let chain = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| damaged(path, &error))?;
    if chain.is_empty() {
        return Err(TlsError::NoCertificate { path: path.to_owned() });
    }
    Ok(chain)
}

/// When a certificate ends; the fault, where it is none.
pub(super) fn expires_at(leaf: &CertificateDer<'_>) -> Result<Timestamp, String> {
    let (_, certificate) = X509Certificate::from_der(leaf).map_err(|error| error.to_string())?;
    let end = certificate.validity().not_after.timestamp();
    Ok(Timestamp::from_unix(u64::try_from(end).unwrap_or(0)))
}

fn key(path: &Path, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    match PrivateKeyDer::from_pem_slice(pem) {
        Ok(_) if is_encrypted(pem) => Err(TlsError::EncryptedKey { path: path.to_owned() }),
        Ok(key) => Ok(key),
        Err(_) if is_encrypted(pem) => Err(TlsError::EncryptedKey { path: path.to_owned() }),
        Err(pem::Error::NoItemsFound) => Err(TlsError::NoKey { path: path.to_owned() }),
        Err(error) => Err(damaged(path, &error)),
    }
}

/// Both ways in which PEM says so: PKCS#8 (RFC 5958 section 3) and the older one of OpenSSL.
fn is_encrypted(pem: &[u8]) -> bool {
    [&b"-----BEGIN ENCRYPTED PRIVATE KEY-----"[..], b"Proc-Type: 4,ENCRYPTED"]
        .iter()
        .any(|sign| pem.windows(sign.len()).any(|window| window == *sign))
}

fn damaged(path: &Path, error: &pem::Error) -> TlsError {
    TlsError::Damaged { path: path.to_owned(), fault: error.to_string() }
}

fn config(
    files: &CertificateFiles,
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let (key_path, certificate) = (files.key.clone(), files.certificate.clone());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13, &version::TLS12])
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
        .map_err(|source| match source {
            rustls::Error::InconsistentKeys(_) => TlsError::Mismatch { key: key_path, certificate },
            source => TlsError::Unusable { key: key_path, certificate, source },
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    config.session_storage = ServerSessionMemoryCache::new(RESUMABLE_SESSIONS);
    Ok(config)
}

/// TLS sessions that clients may resume, two to a client; a reload forgets them.
const RESUMABLE_SESSIONS: usize = 8192;

#[cfg(test)]
pub(super) mod testing {
    use std::process::Command;

    /// Runs the openssl command, and gives what it prints.
    pub(in crate::front::tls) fn openssl(arguments: &[&str]) -> Vec<u8> {
        let done = Command::new("openssl").args(arguments).output().unwrap();
        assert!(done.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
        done.stdout
    }
}

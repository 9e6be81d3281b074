//! Everything a handshake needs.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};
use rustls::pki_types::pem::{self, PemObject as _};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::server::ServerSessionMemoryCache;
use rustls::{ServerConfig, crypto, version};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::binding::server_end_point;
use super::error::TlsError;
use super::self_signed;
use crate::clock::Timestamp;
use crate::config::Secret;
use crate::config::checked::CertificateFiles;
use crate::front::mechanism::Bindings;

/// Settings and certificate of a TLS listener, and the channel binding of
/// connections that begin with them.
#[derive(Clone, Debug)]
pub struct ServerTls {
    config: Arc<ServerConfig>,
    binding: Arc<Bindings>,
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
        Self::load(&CertificateFiles { key: path.clone(), key_pass: None, certificate: path })
    }

    /// What rustls needs; every connection gets its own reference.
    pub const fn config(&self) -> &Arc<ServerConfig> {
        &self.config
    }

    /// The channel binding (RFC 5929 tls-server-end-point).
    pub const fn binding(&self) -> &Arc<Bindings> {
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
        let key = key(files, key_pem)?;
        let chain = chain(&files.certificate, chain_pem)?;
        // `chain` gives at least one certificate.
        let leaf = chain.first().cloned().unwrap_or_else(|| CertificateDer::from(Vec::new()));
        let odd =
            |fault: String| TlsError::OddCertificate { path: files.certificate.clone(), fault };
        let binding = server_end_point(&leaf).map_err(|error| odd(error.to_string()))?;
        let expires_at = expires_at(&leaf).map_err(odd)?;
        let config = config(files, chain, key)?;
        Ok(Self { config: Arc::new(config), binding: Arc::new(binding), expires_at })
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

fn key(files: &CertificateFiles, pem: &[u8]) -> Result<PrivateKeyDer<'static>, TlsError> {
    let path = &files.key;
    if is_encrypted(pem) {
        return decrypt(path, pem, files.key_pass.as_ref());
    }
    PrivateKeyDer::from_pem_slice(pem).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { path: path.clone() },
        error => damaged(path, &error),
    })
}

/// Opens a key that is encrypted by PBES2 (RFC 8018), as `openssl pkcs8 -topk8` writes it.
fn decrypt(
    path: &Path,
    pem: &[u8],
    pass: Option<&Secret>,
) -> Result<PrivateKeyDer<'static>, TlsError> {
    let Some(pass) = pass else {
        return Err(TlsError::EncryptedKey { path: path.to_owned() });
    };
    let pass =
        pass.reveal().map_err(|source| TlsError::PassPhrase { path: path.to_owned(), source })?;
    let text = String::from_utf8_lossy(pem);
    let start =
        text.find(ENCRYPTED).ok_or_else(|| TlsError::OldEncryption { path: path.to_owned() })?;
    let opened = SecretDocument::from_pem(&text[start..])
        .map_err(|error| error.to_string())
        .and_then(|(_, document)| {
            EncryptedPrivateKeyInfoRef::try_from(document.as_bytes())
                .map_err(|error| error.to_string())?
                .decrypt(pass)
                .map_err(|error| error.to_string())
        })
        .map_err(|fault| TlsError::Undecipherable { path: path.to_owned(), fault })?;
    Ok(PrivatePkcs8KeyDer::from(opened.as_bytes().to_vec()).into())
}

/// Both ways in which PEM says so: PKCS#8 (RFC 5958 section 3) and the older one of OpenSSL.
fn is_encrypted(pem: &[u8]) -> bool {
    [ENCRYPTED.as_bytes(), b"Proc-Type: 4,ENCRYPTED"]
        .iter()
        .any(|sign| pem.windows(sign.len()).any(|window| window == *sign))
}

const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----";

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

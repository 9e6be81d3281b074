//! Whether a certificate comes from an authority of ours, holds at this
//! moment, is for clients, and has not been revoked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use std::{fs, io};

use rustls::crypto::aws_lc_rs::default_provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer, UnixTime};
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{VerifierBuilderError, WebPkiClientVerifier};
use rustls::{CertRevocationListError, CertificateError, DistinguishedName, Error, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::stamp::Stamp;
use super::{fitness, possession};
use crate::clock::Timestamp;
use crate::config::checked::AuthorityFiles;
use crate::wire::Reason;

#[cfg(test)]
mod tests;

/// Why the authorities cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}; it must exist, and be readable for the user that Doorward runs as", path.display())]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file does not hold what its key of the configuration promises.
    #[error("{} holds no {what} in PEM; name the file that does", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// `certificate`, or `list of revoked certificates`.
        what: &'static str,
    },
    /// A file that is damaged.
    #[error("{} cannot be used: {fault}; export it again as PEM", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What the parser says.
        fault: String,
    },
}

/// Why a certificate does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// The reason, for answer and audit.
    pub reason: Reason,
    /// What the libraries say, for the log.
    pub detail: String,
}

/// The authorities, read anew whenever one of their files changes.
#[derive(Debug)]
pub struct Authorities {
    files: AuthorityFiles,
    loaded: RwLock<Arc<Loaded>>,
}

/// The authorities at one moment. As long as [`Authorities::current`] gives
/// the same one, the same certificate has the same judgement within a second.
#[derive(Debug)]
pub struct Loaded {
    stamps: Vec<Option<Stamp>>,
    subjects: Vec<DistinguishedName>,
    verifier: Option<Arc<dyn ClientCertVerifier>>,
}

/// The authorities of a PEM file, at least one.
///
/// # Errors
/// See [`AuthorityError`].
pub fn roots(path: &Path) -> Result<RootCertStore, AuthorityError> {
    let mut roots = RootCertStore::empty();
    match add(&mut roots, path)? {
        0 => Err(AuthorityError::Empty { path: path.to_owned(), what: "certificate" }),
        _ => Ok(roots),
    }
}

impl Authorities {
    /// Reads the files; without any, no certificate has an authority.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub fn load(files: AuthorityFiles) -> Result<Self, AuthorityError> {
        let loaded = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, loaded })
    }

    /// What holds at this moment. Files that changed are read again; when they
    /// cannot be used, the former ones go on to count (a list of revoked
    /// certificates until it is out of date) and the log says so.
    pub fn current(&self) -> Arc<Loaded> {
        let held = Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner));
        let stamps = stamps(&self.files);
        if stamps == held.stamps {
            return held;
        }
        let fresh = Arc::new(read(&self.files).unwrap_or_else(|error| {
            tracing::error!(%error, "the authorities of client certificates changed and cannot be used: the former ones count on");
            Loaded { stamps, subjects: held.subjects.clone(), verifier: held.verifier.clone() }
        }));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        fresh
    }
}

impl Loaded {
    /// The names of the authorities.
    pub fn subjects(&self) -> &[DistinguishedName] {
        &self.subjects
    }

    /// Judges a chain as a client sent it, its own certificate first, at a moment.
    ///
    /// # Errors
    /// The first thing that is wrong, of the certificate itself before its chain.
    pub fn judge(&self, chain: &[CertificateDer<'_>], now: Timestamp) -> Result<(), Refused> {
        let [leaf, intermediates @ ..] = chain else {
            return Err(Refused::new(Reason::CertificateForm, "no certificate"));
        };
        fitness::key_of_certificate(leaf)
            .map_err(|unfit| Refused::new(unfit.reason(), unfit.to_string()))?;
        if !possession::can_be_admitted(leaf) {
            return Err(Refused::new(Reason::CertificateForm, "not X.509 version 3"));
        }
        let Some(verifier) = &self.verifier else {
            return Err(Refused::new(
                Reason::CertificateNoChain,
                "no authority is configured (server_ssl_ca_file, client_ssl_ca_file)",
            ));
        };
        let moment = UnixTime::since_unix_epoch(Duration::from_secs(now.unix()));
        match verifier.verify_client_cert(leaf, intermediates, moment) {
            Ok(_) => Ok(()),
            Err(error) => Err(Refused::new(reason(&error, leaf), error.to_string())),
        }
    }
}

impl Refused {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

fn reason(error: &Error, leaf: &CertificateDer<'_>) -> Reason {
    match error {
        Error::InvalidCertificate(fault) => match fault {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
                Reason::CertificateExpired
            }
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                Reason::CertificateNotYetValid
            }
            CertificateError::Revoked => Reason::CertificateRevoked,
            CertificateError::UnknownRevocationStatus => Reason::CrlMissing,
            CertificateError::ExpiredRevocationList
            | CertificateError::ExpiredRevocationListContext { .. } => Reason::CrlOutdated,
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Reason::CertificatePurpose
            }
            // An authority's own certificate, shown as a client's, counts as signed by itself too.
            _ if is_self_signed(leaf) => Reason::CertificateSelfSigned,
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                Reason::CertificateNoChain
            }
            _ => Reason::CertificateForm,
        },
        Error::InvalidCertRevocationList(_) => Reason::CrlMissing,
        _ => Reason::CertificateForm,
    }
}

fn is_self_signed(certificate: &CertificateDer<'_>) -> bool {
    X509Certificate::from_der(certificate)
        .is_ok_and(|(_, parsed)| parsed.subject().as_raw() == parsed.issuer().as_raw())
}

fn read(files: &AuthorityFiles) -> Result<Loaded, AuthorityError> {
    // Taken before the files are read: what changes meanwhile is read again.
    let stamps = stamps(files);
    let mut roots = match &files.ca_file {
        Some(file) => self::roots(file)?,
        None => RootCertStore::empty(),
    };
    if let Some(folder) = &files.ca_path {
        let mut found = 0;
        for file in regular_files(folder)? {
            found += add(&mut roots, &file)?;
        }
        if found == 0 {
            return Err(AuthorityError::Empty { path: folder.clone(), what: "certificate" });
        }
    }
    let subjects = roots.subjects();
    let verifier = match (roots.is_empty(), &files.crl_file) {
        (true, _) => None,
        (false, crl_file) => Some(verifier(roots, crl_file.as_deref())?),
    };
    Ok(Loaded { stamps, subjects, verifier })
}

fn verifier(
    roots: RootCertStore,
    crl_file: Option<&Path>,
) -> Result<Arc<dyn ClientCertVerifier>, AuthorityError> {
    let provider = Arc::new(default_provider());
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .enforce_revocation_expiration();
    if let Some(path) = crl_file {
        let lists = CertificateRevocationListDer::pem_slice_iter(&bytes(path)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| damaged(path, &error))?;
        if lists.is_empty() {
            let what = "list of revoked certificates (-----BEGIN X509 CRL-----)";
            return Err(AuthorityError::Empty { path: path.to_owned(), what });
        }
        builder = builder.with_crls(lists);
    }
    builder.build().map_err(|error| match (error, crl_file) {
        (VerifierBuilderError::InvalidCrl(fault), Some(path)) => damaged(path, &crl_fault(&fault)),
        (error, _) => damaged(crl_file.unwrap_or(Path::new("")), &error),
    })
}

fn crl_fault(fault: &CertRevocationListError) -> String {
    format!("{fault:?}")
}

/// Adds the certificates of a file; how many there were.
fn add(roots: &mut RootCertStore, path: &Path) -> Result<usize, AuthorityError> {
    let mut found = 0;
    for certificate in CertificateDer::pem_slice_iter(&bytes(path)?) {
        let certificate = certificate.map_err(|error| damaged(path, &error))?;
        roots.add(certificate).map_err(|error| damaged(path, &error))?;
        found += 1;
    }
    Ok(found)
}

fn bytes(path: &Path) -> Result<Vec<u8>, AuthorityError> {
    fs::read(path).map_err(|source| AuthorityError::Read { path: path.to_owned(), source })
}

fn damaged(path: &Path, fault: &impl ToString) -> AuthorityError {
    AuthorityError::Damaged { path: path.to_owned(), fault: fault.to_string() }
}

fn regular_files(folder: &Path) -> Result<Vec<PathBuf>, AuthorityError> {
    let failed = |source| AuthorityError::Read { path: folder.to_owned(), source };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// A folder's stamp changes with the names in it: files there are replaced by
/// renaming, as `c_rehash` and package managers do.
fn stamps(files: &AuthorityFiles) -> Vec<Option<Stamp>> {
    let paths = [&files.ca_file, &files.ca_path, &files.crl_file];
    paths.into_iter().flatten().map(|path| Stamp::of(path)).collect()
}

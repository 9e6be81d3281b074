//! Whether a certificate is from an authority of ours, is valid now, is for clients, and has not
//! been revoked.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;
use std::{fs, io};

use rustls::DistinguishedName;
use rustls::pki_types::CertificateDer;
use webpki::{CertRevocationList, Error, OwnedCertRevocationList};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::anchors::Anchors;
pub(crate) use super::anchors::UnfitAuthority;
use super::authority::{self, Purpose};
use super::key_possession::ProvenChain;
use super::{key_policy, version1};
use crate::clock::{self, Timestamp};
use crate::config::section::AuthorityFiles;
use crate::pki::file::pem;
use crate::process::files::stamp::FileStamp;
use crate::process::seldom::Seldom;
use crate::wire::{Denied, Reason};

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
    #[error("{} contains no {what} in PEM; name the right file", path.display())]
    Empty {
        /// The file or folder.
        path: PathBuf,
        /// `certificate`, or `list of revoked certificates`.
        what: &'static str,
    },
    /// No authority that may be one.
    #[error("{}: {} is not an authority: {}. Name the file of an authority", path.display(), authority.subject, authority.unfit)]
    Unfit {
        path: PathBuf,
        /// The first of those in it.
        authority: UnfitAuthority,
    },
    /// A file that is damaged.
    #[error("{} cannot be used: {fault}; export it again as PEM", path.display())]
    Damaged {
        path: PathBuf,
        /// What the parser says.
        fault: String,
    },
}

/// The authorities, read anew whenever one of their files changes.
#[derive(Debug)]
pub(crate) struct Authorities {
    files: AuthorityFiles,
    loaded: RwLock<Arc<Loaded>>,
}

/// The authorities at one moment. As long as [`Authorities::current`] gives
/// the same one, the same certificate has the same judgement within a second.
#[derive(Debug)]
pub(crate) struct Loaded {
    stamps: Vec<Option<FileStamp>>,
    trusted: Arc<Trusted>,
}

#[derive(Debug)]
struct Trusted {
    anchors: Anchors,
    /// `None`: revocation is not looked at.
    lists: Option<Lists>,
}

/// Lists of revoked certificates, for the library and as they are.
#[derive(Debug)]
struct Lists {
    read: Vec<CertRevocationList<'static>>,
    der: Vec<Vec<u8>>,
}

/// The authorities of servers' certificates in a PEM file, at least one that is fit.
///
/// # Errors
/// See [`AuthorityError`].
pub(in crate::pki) fn servers(path: &Path) -> Result<Anchors, AuthorityError> {
    let mut anchors = Anchors::new(Purpose::Server);
    add(&mut anchors, path)?;
    match (anchors.is_empty(), anchors.unfit()) {
        (true, [first, ..]) => {
            Err(AuthorityError::Unfit { path: path.to_owned(), authority: first.clone() })
        }
        (true, []) => Err(AuthorityError::Empty { path: path.to_owned(), what: "certificate" }),
        (false, _) => Ok(anchors),
    }
}

impl Authorities {
    /// Reads the files; without any, no certificate has an authority.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub(crate) fn load(files: AuthorityFiles) -> Result<Self, AuthorityError> {
        let loaded = RwLock::new(Arc::new(read(&files)?));
        Ok(Self { files, loaded })
    }

    /// What holds at this moment. Files that changed are read again; when they
    /// cannot be used, the former ones go on to count (a list of revoked
    /// certificates until it is out of date) and the log says so.
    pub(crate) fn current(&self) -> Arc<Loaded> {
        let held = Arc::clone(&self.loaded.read().unwrap_or_else(PoisonError::into_inner));
        let stamps = stamps(&self.files);
        if stamps == held.stamps {
            return held;
        }
        let fresh = Arc::new(read(&self.files).unwrap_or_else(|error| {
            tracing::error!(%error, "the authorities of client certificates have changed, but cannot be used: the former ones remain");
            Loaded { stamps, trusted: Arc::clone(&held.trusted) }
        }));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        fresh
    }
}

impl Loaded {
    /// The names of the authorities.
    pub(crate) fn subjects(&self) -> &[DistinguishedName] {
        self.trusted.anchors.names()
    }

    /// Certificates that are named as authorities', and count for nothing.
    pub(crate) fn unfit(&self) -> &[UnfitAuthority] {
        self.trusted.anchors.unfit()
    }

    /// Validates a chain as a client sent it, at a moment.
    ///
    /// # Errors
    /// The first thing that is wrong, of the certificate itself before its chain.
    pub(super) fn validate(&self, chain: &ProvenChain, now: Timestamp) -> Result<(), Denied> {
        let chain = chain.certificates();
        let [leaf, intermediates @ ..] = chain else {
            return Err(Denied::new(Reason::CertificateForm, "no certificate"));
        };
        let Trusted { anchors, lists } = &*self.trusted;
        if anchors.is_empty() && anchors.unfit().is_empty() {
            return Err(Denied::new(
                Reason::CertificateNoChain,
                "no authority is configured (server_ssl_ca_file, client_ssl_ca_file)",
            ));
        }
        if version1::is_version_1(leaf) {
            let lists = lists.as_ref().map(|lists| lists.der.as_slice());
            version1::validate(leaf, anchors, lists, now)
                .map_err(|refused| unfit_authority(chain, anchors).unwrap_or(refused))?;
            if VERSION_1.due("version 1", clock::instant()).is_some() {
                tracing::warn!(
                    "a client shows a certificate of X.509 version 1, which has no purpose: have it issued again, with extensions"
                );
            }
            return Ok(());
        }
        if key_policy::lacks_signing(leaf) {
            let detail = "its keyUsage has neither digitalSignature nor keyAgreement";
            return Err(Denied::new(Reason::CertificatePurpose, detail));
        }
        let read = lists.as_ref().map(|lists| lists.read.as_slice()).unwrap_or_default();
        anchors.verify(leaf, intermediates, read, now).map_err(|error| {
            let found = Denied::new(reason(&error, leaf), format!("{error:?}"));
            let unfit = unfit_authority(chain, anchors);
            unfit.filter(|_| found.reason == Reason::CertificateNoChain).unwrap_or(found)
        })
    }
}

/// Where a chain leads over a certificate that is no authority's: which one.
fn unfit_authority(chain: &[CertificateDer<'_>], anchors: &Anchors) -> Option<Denied> {
    let [_, intermediates @ ..] = chain else { return None };
    let refused = |detail| Some(Denied::new(Reason::CertificateAuthority, detail));
    for certificate in chain {
        let Some(issuer) = authority::issuer(certificate) else { continue };
        if let Some(unfit) = anchors.unfit_issuer(&issuer) {
            return refused(format!("{}: {}", unfit.subject, unfit.unfit));
        }
        let between = intermediates
            .iter()
            .find(|between| authority::subject(between).as_ref() == Some(&issuer));
        if let Some(unfit) = between.and_then(|between| authority::intermediate(between).err()) {
            return refused(format!("an intermediate certificate: {unfit}"));
        }
    }
    None
}

static VERSION_1: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

fn reason(error: &Error, leaf: &CertificateDer<'_>) -> Reason {
    match error {
        Error::CertExpired { .. } => Reason::CertificateExpired,
        Error::CertNotValidYet { .. } => Reason::CertificateNotYetValid,
        Error::CertRevoked => Reason::CertificateRevoked,
        Error::CrlExpired { .. } => Reason::CrlOutdated,
        Error::UnknownRevocationStatus
        | Error::InvalidCrlSignatureForPublicKey
        | Error::IssuerNotCrlSigner => Reason::CrlMissing,
        Error::RequiredEkuNotFoundContext(_) | Error::EmptyEkuExtension => {
            Reason::CertificatePurpose
        }
        // An authority's own certificate, shown as a client's, counts as signed by itself too.
        _ if is_self_signed(leaf) => Reason::CertificateSelfSigned,
        Error::UnknownIssuer
        | Error::InvalidSignatureForPublicKey
        | Error::PathLenConstraintViolated
        | Error::NameConstraintViolation
        | Error::EndEntityUsedAsCa => Reason::CertificateNoChain,
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
    let mut anchors = Anchors::new(Purpose::Client);
    if let Some(file) = &files.ca_file
        && add(&mut anchors, file)? == 0
    {
        return Err(AuthorityError::Empty { path: file.clone(), what: "certificate" });
    }
    if let Some(folder) = &files.ca_path {
        let mut found = 0;
        for file in regular_files(folder)? {
            found += add(&mut anchors, &file)?;
        }
        if found == 0 {
            return Err(AuthorityError::Empty { path: folder.clone(), what: "certificate" });
        }
    }
    for UnfitAuthority { subject, unfit, .. } in anchors.unfit() {
        tracing::warn!(authority = subject, "an authority of clients is not accepted: {unfit}");
    }
    let lists = files.crl_file.as_deref().map(lists).transpose()?;
    Ok(Loaded { stamps, trusted: Arc::new(Trusted { anchors, lists }) })
}

fn lists(path: &Path) -> Result<Lists, AuthorityError> {
    let found = pem::revocation_lists(&bytes(path)?).map_err(|fault| damaged(path, &fault))?;
    if found.is_empty() {
        let what = "list of revoked certificates (-----BEGIN X509 CRL-----)";
        return Err(AuthorityError::Empty { path: path.to_owned(), what });
    }
    let mut lists = Lists { read: Vec::new(), der: Vec::new() };
    for (line, der) in found {
        let read = OwnedCertRevocationList::from_der(&der).map_err(|fault| {
            damaged(path, &format!("the list that begins in line {line}: {fault:?}"))
        })?;
        lists.read.push(read.into());
        lists.der.push(der);
    }
    Ok(lists)
}

/// Adds the certificates of a file; how many there were.
fn add(anchors: &mut Anchors, path: &Path) -> Result<usize, AuthorityError> {
    let found = pem::certificates(&bytes(path)?).map_err(|fault| damaged(path, &fault))?;
    for (line, certificate) in &found {
        anchors.add(certificate).map_err(|fault| {
            damaged(path, &format!("the block CERTIFICATE that begins in line {line}: {fault}"))
        })?;
    }
    Ok(found.len())
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
fn stamps(files: &AuthorityFiles) -> Vec<Option<FileStamp>> {
    let paths = [&files.ca_file, &files.ca_path, &files.crl_file];
    paths.into_iter().flatten().map(|path| FileStamp::of(path)).collect()
}

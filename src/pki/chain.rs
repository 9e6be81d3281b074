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
use rustls::{CertRevocationListError, CertificateError, Error, RootCertStore};
use x509_parser::prelude::{FromDer, X509Certificate};

use super::stamp::Stamp;
use super::{fitness, possession};
use crate::clock::Timestamp;
use crate::config::checked::AuthorityFiles;
use crate::wire::Reason;

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
    verifier: Option<Arc<dyn ClientCertVerifier>>,
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
            Loaded { stamps, verifier: held.verifier.clone() }
        }));
        *self.loaded.write().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&fresh);
        fresh
    }
}

impl Loaded {
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
                "no authority is configured (server_ssl_ca_file)",
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
    let verifier = match (roots.is_empty(), &files.crl_file) {
        (true, _) => None,
        (false, crl_file) => Some(verifier(roots, crl_file.as_deref())?),
    };
    Ok(Loaded { stamps, verifier })
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::pki::openssl::{Key, certificates, issue, make_ca, make_key, openssl};

    const CLIENT: &str = "extendedKeyUsage=clientAuth\n";
    const DAY: u64 = 24 * 60 * 60;

    /// A folder with the authorities `ca` and `other`, and the key `web`.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        make_ca(folder.path(), "ca");
        make_ca(folder.path(), "other");
        make_key(folder.path(), "web", Key::Ec("P-256"));
        folder
    }

    fn authorities(folder: &Path, crl: Option<&str>) -> Authorities {
        Authorities::load(AuthorityFiles {
            ca_file: Some(folder.join("ca.pem")),
            ca_path: None,
            crl_file: crl.map(|crl| folder.join(crl)),
        })
        .unwrap()
    }

    fn judge(authorities: &Authorities, folder: &Path, days_from_now: i64) -> Option<Reason> {
        let now = clock::now().unix().checked_add_signed(days_from_now * DAY.cast_signed());
        let chain = certificates(folder, "web.pem");
        authorities
            .current()
            .judge(&chain, Timestamp::from_unix(now.unwrap()))
            .err()
            .map(|refused| refused.reason)
    }

    #[test]
    fn a_certificate_counts_in_its_time_and_for_its_purpose_alone() {
        let folder = folder();
        let folder = folder.path();
        let ours = authorities(folder, None);
        for (ca, extensions, days, expected) in [
            ("ca", CLIENT, 0, None),
            ("ca", "basicConstraints=CA:FALSE\n", 0, None),
            ("ca", CLIENT, 31, Some(Reason::CertificateExpired)),
            ("ca", CLIENT, -1, Some(Reason::CertificateNotYetValid)),
            ("ca", "extendedKeyUsage=serverAuth\n", 0, Some(Reason::CertificatePurpose)),
            ("other", CLIENT, 0, Some(Reason::CertificateNoChain)),
            // Without extensions OpenSSL 3.0 makes version 1.
            ("ca", "", 0, Some(Reason::CertificateForm)),
        ] {
            issue(folder, ca, "web", extensions, &["-days", "30"]);
            assert_eq!(judge(&ours, folder, days), expected, "{ca} {extensions:?} {days}");
        }
    }

    #[test]
    fn who_signs_for_themselves_has_no_authority() {
        let folder = folder();
        let folder = folder.path();
        let ours = authorities(folder, None);
        for extension in ["basicConstraints=CA:TRUE", "basicConstraints=CA:FALSE"] {
            let subject = ["req", "-x509", "-key", "web.key", "-subj", "/CN=web"];
            let more = ["-addext", extension, "-out", "web.pem"];
            openssl(folder, &[&subject[..], &more].concat());
            assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateSelfSigned), "{extension}");
        }
    }

    #[test]
    fn without_authorities_nobody_has_a_chain() {
        let folder = folder();
        issue(folder.path(), "ca", "web", CLIENT, &[]);
        let none = Authorities::load(AuthorityFiles::default()).unwrap();
        assert_eq!(judge(&none, folder.path(), 0), Some(Reason::CertificateNoChain));
    }

    #[test]
    fn a_weak_key_is_told_before_its_chain() {
        let folder = folder();
        let folder = folder.path();
        for (key, reason) in [
            (Key::Rsa(1024), Reason::PublicKeyTooShort),
            (Key::Named("ED448"), Reason::PublicKeyAlgorithm),
        ] {
            make_key(folder, "web", key);
            issue(folder, "other", "web", CLIENT, &[]);
            assert_eq!(judge(&authorities(folder, None), folder, 0), Some(reason));
        }
    }

    /// Lets the authority `ca` write `crl.pem`, good for so many days.
    fn write_crl(folder: &Path, days: &str) {
        let config =
            "[ca]\ndefault_ca=a\n[a]\ndatabase=index\ndefault_md=sha256\ncrlnumber=number\n";
        fs::write(folder.join("ca.cnf"), config).unwrap();
        for (file, text) in [("index", ""), ("number", "01\n")] {
            if !folder.join(file).exists() {
                fs::write(folder.join(file), text).unwrap();
            }
        }
        let fixed = ["ca", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem"];
        openssl(folder, &[&fixed[..], &["-gencrl", "-crldays", days, "-out", "crl.pem"]].concat());
    }

    fn revoke(folder: &Path) {
        let fixed = ["ca", "-config", "ca.cnf", "-keyfile", "ca.key", "-cert", "ca.pem"];
        openssl(folder, &[&fixed[..], &["-revoke", "web.pem"]].concat());
    }

    #[test]
    fn a_revoked_certificate_is_refused_as_soon_as_the_list_says_so() {
        let folder = folder();
        let folder = folder.path();
        issue(folder, "ca", "web", CLIENT, &["-days", "30"]);
        write_crl(folder, "10");
        let ours = authorities(folder, Some("crl.pem"));
        assert_eq!(judge(&ours, folder, 0), None);
        assert_eq!(judge(&ours, folder, 11), Some(Reason::CrlOutdated));
        revoke(folder);
        write_crl(folder, "10");
        assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateRevoked));
        fs::write(folder.join("crl.pem"), "half a li").unwrap();
        assert_eq!(
            judge(&ours, folder, 0),
            Some(Reason::CertificateRevoked),
            "the former list counts"
        );
    }

    #[test]
    fn a_list_must_be_there_for_every_authority() {
        let folder = folder();
        let folder = folder.path();
        issue(folder, "other", "web", CLIENT, &[]);
        write_crl(folder, "10");
        fs::copy(folder.join("other.pem"), folder.join("both.pem")).unwrap();
        let files = AuthorityFiles {
            ca_file: Some(folder.join("both.pem")),
            ca_path: None,
            crl_file: Some(folder.join("crl.pem")),
        };
        let both = Authorities::load(files).unwrap();
        assert_eq!(judge(&both, folder, 0), Some(Reason::CrlMissing));
    }

    #[test]
    fn authorities_may_stand_in_a_folder() {
        let folder = folder();
        let folder = folder.path();
        issue(folder, "ca", "web", CLIENT, &[]);
        let authorities_folder = folder.join("cas");
        fs::create_dir(&authorities_folder).unwrap();
        fs::copy(folder.join("other.pem"), authorities_folder.join("0.pem")).unwrap();
        let files = AuthorityFiles {
            ca_path: Some(authorities_folder.clone()),
            ..AuthorityFiles::default()
        };
        let ours = Authorities::load(files).unwrap();
        assert_eq!(judge(&ours, folder, 0), Some(Reason::CertificateNoChain));
        fs::copy(folder.join("ca.pem"), authorities_folder.join("1.pem")).unwrap();
        assert_eq!(judge(&ours, folder, 0), None);
    }

    #[test]
    fn the_error_names_the_file_and_the_mend() {
        let folder = folder();
        let folder = folder.path();
        fs::write(
            folder.join("odd.pem"),
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        )
        .unwrap();
        for (ca, crl, words) in [
            ("missing.pem", None, "cannot read"),
            ("web.key", None, "holds no certificate"),
            ("odd.pem", None, "cannot be used"),
            ("ca.pem", Some("ca.pem"), "holds no list of revoked certificates"),
        ] {
            let error = Authorities::load(AuthorityFiles {
                ca_file: Some(folder.join(ca)),
                ca_path: None,
                crl_file: crl.map(|crl| folder.join(crl)),
            });
            let error = error.unwrap_err().to_string();
            assert!(error.contains(words) && error.contains(folder.to_str().unwrap()), "{error}");
        }
    }
}

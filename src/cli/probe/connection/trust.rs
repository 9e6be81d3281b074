//! Whether a server's certificate is trusted. The verdict is kept and shown
//! instead of breaking the handshake, so that a probe can say what is wrong.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier as _;
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, Error, RootCertStore};

use crate::clock::Timestamp;
use crate::pki::file::certificate::Certificate;
use crate::pki::file::pem;
use crate::pki::tls::TrustServer;

/// What became of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::probe) enum Verdict {
    /// A trusted authority vouches for it, and it is for this host.
    Trusted,
    /// It is not, and why, and what fixes it.
    Untrusted(String, String),
}

impl Verdict {
    fn untrusted(why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self::Untrusted(why.into(), mend.into())
    }
}

/// Judges certificates, and lets all of them pass. Whoever uses it has to ask
/// for the verdict before anything secret is sent.
#[derive(Debug)]
pub(in crate::cli::probe) struct Trust {
    authorities: Option<Arc<WebPkiServerVerifier>>,
    given: Vec<CertificateDer<'static>>,
    verdict: Mutex<Verdict>,
}

impl Trust {
    /// Trusts the certificates in `ca`, else those that the system trusts.
    ///
    /// # Errors
    /// A sentence: the file cannot be read or holds no certificate.
    pub(in crate::cli::probe) fn new(
        ca: Option<&Path>,
        provider: Arc<CryptoProvider>,
    ) -> Result<Self, String> {
        let given = ca.map(read).transpose()?.unwrap_or_default();
        let mut roots = RootCertStore::empty();
        if ca.is_some() {
            roots.add_parsable_certificates(given.iter().cloned());
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let authorities = WebPkiServerVerifier::builder_with_provider(roots.into(), provider);
        let verdict = Mutex::new(Verdict::untrusted("it was not checked", NAME_AUTHORITY));
        Ok(Self { authorities: authorities.build().ok(), given, verdict })
    }

    /// The verdict on the certificate of the last handshake.
    pub(in crate::cli::probe) fn verdict(&self) -> Verdict {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn verdict_on(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        now: UnixTime,
    ) -> Verdict {
        let certificate = match Certificate::read(leaf) {
            Ok(certificate) => certificate,
            Err(what) => {
                return Verdict::untrusted(format!("it cannot be read: {what}"), NAME_AUTHORITY);
            }
        };
        if !certificate.covers(&host.to_str()) {
            let why = format!("it is not for {}", host.to_str());
            return Verdict::untrusted(
                why,
                "Use a name that is in the certificate, or have one issued for this name too",
            );
        }
        let moment = Timestamp::from_unix(now.as_secs());
        if !certificate.is_valid_at(moment) {
            return if moment < certificate.begins_at {
                Verdict::untrusted(
                    format!("it is not valid before {}", certificate.begins_at),
                    "Compare the clock of this machine with another; if it is right, the certificate is for a later time",
                )
            } else {
                Verdict::untrusted(
                    format!("it expired on {}", certificate.ends_at),
                    "Have it issued again, replace the server's file and reload the server",
                )
            };
        }
        // One that was itself given as trusted needs no authority.
        if self.given.contains(leaf) {
            return Verdict::Trusted;
        }
        let Some(authorities) = &self.authorities else {
            return Verdict::untrusted("this machine trusts no authorities", NAME_AUTHORITY);
        };
        match authorities.verify_server_cert(leaf, chain, host, &[], now) {
            Ok(_) => Verdict::Trusted,
            Err(_) if certificate.subject == certificate.issuer => {
                Verdict::untrusted("it is self-signed", NAME_AUTHORITY)
            }
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) if chain.is_empty() => {
                let issuer = &certificate.issuer;
                Verdict::untrusted(
                    format!(
                        "it was issued by {issuer}, which this machine does not trust, and the server sends no certificate but its own"
                    ),
                    format!(
                        "If {issuer} is an intermediate, append its certificate to the server's file, after the server's own: phones and Java do not fetch it. If it is your own authority, name it with --ca FILE"
                    ),
                )
            }
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Verdict::untrusted("its issuer is not trusted on this machine", NAME_AUTHORITY)
            }
            Err(error) => Verdict::untrusted(error.to_string(), NAME_AUTHORITY),
        }
    }
}

const NAME_AUTHORITY: &str = "Name its authority with --ca FILE";

fn read(ca: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!(
            "{} cannot be used for --ca ({error}): name a PEM file of certificates",
            ca.display()
        )
    };
    let bytes = std::fs::read(ca).map_err(|error| wrong(&error))?;
    let found = pem::certificates(&bytes).map_err(|fault| wrong(&fault))?;
    if found.is_empty() {
        return Err(wrong(&"it contains no certificate"));
    }
    Ok(found.into_iter().map(|(_, certificate)| certificate).collect())
}

impl TrustServer for Trust {
    fn trusts(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let verdict = self.verdict_on(leaf, intermediates, name, now);
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = verdict;
        Ok(())
    }
}

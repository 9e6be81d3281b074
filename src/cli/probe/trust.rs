//! Whether a server's certificate is trusted. The verdict is kept and shown
//! instead of breaking the handshake, so that a probe can say what is wrong.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::clock::Timestamp;
use crate::pki::certificate::Certificate;
use crate::pki::pem;

/// What became of the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A trusted authority vouches for it, and it is for this host.
    Trusted,
    /// It is not, and why.
    Untrusted(String),
}

/// Judges certificates, and lets all of them pass. Whoever uses it has to ask
/// for the verdict before anything secret is sent.
#[derive(Debug)]
pub(super) struct Judge {
    provider: Arc<CryptoProvider>,
    authorities: Option<Arc<WebPkiServerVerifier>>,
    given: Vec<CertificateDer<'static>>,
    verdict: Mutex<Verdict>,
}

impl Judge {
    /// Trusts the certificates in `ca`, else those that the system trusts.
    ///
    /// # Errors
    /// A sentence: the file cannot be read or holds no certificate.
    pub(super) fn new(ca: Option<&Path>, provider: Arc<CryptoProvider>) -> Result<Self, String> {
        let given = ca.map(read).transpose()?.unwrap_or_default();
        let mut roots = RootCertStore::empty();
        if ca.is_some() {
            roots.add_parsable_certificates(given.iter().cloned());
        } else {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let authorities =
            WebPkiServerVerifier::builder_with_provider(roots.into(), Arc::clone(&provider));
        let verdict = Mutex::new(Verdict::Untrusted("it was not looked at".to_owned()));
        Ok(Self { provider, authorities: authorities.build().ok(), given, verdict })
    }

    /// The verdict on the certificate of the last handshake.
    pub(super) fn verdict(&self) -> Verdict {
        self.verdict.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn judge(
        &self,
        leaf: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        host: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Verdict {
        let certificate = match Certificate::read(leaf) {
            Ok(certificate) => certificate,
            Err(what) => return Verdict::Untrusted(format!("it cannot be read: {what}")),
        };
        if !certificate.covers(&host.to_str()) {
            return Verdict::Untrusted(format!("it is not for {}", host.to_str()));
        }
        let moment = Timestamp::from_unix(now.as_secs());
        if !certificate.is_valid_at(moment) {
            let when = if moment < certificate.begins_at { "not valid yet" } else { "expired" };
            return Verdict::Untrusted(format!("it is {when}"));
        }
        // One that was itself given as trusted needs no authority.
        if self.given.contains(leaf) {
            return Verdict::Trusted;
        }
        let Some(authorities) = &self.authorities else {
            return Verdict::Untrusted("this machine trusts no authority at all".to_owned());
        };
        match authorities.verify_server_cert(leaf, chain, host, ocsp, now) {
            Ok(_) => Verdict::Trusted,
            Err(_) if certificate.subject == certificate.issuer => {
                Verdict::Untrusted("nobody but itself vouches for it".to_owned())
            }
            Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)) => {
                Verdict::Untrusted("nobody whom this machine trusts has issued it".to_owned())
            }
            Err(error) => Verdict::Untrusted(error.to_string()),
        }
    }
}

fn read(ca: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let wrong = |error: &dyn std::fmt::Display| {
        format!(
            "{} cannot be used as --ca ({error}): give a PEM file of certificates",
            ca.display()
        )
    };
    let bytes = std::fs::read(ca).map_err(|error| wrong(&error))?;
    let found = pem::certificates(&bytes).map_err(|fault| wrong(&fault))?;
    if found.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    Ok(found.into_iter().map(|(_, certificate)| certificate).collect())
}

impl ServerCertVerifier for Judge {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let judged = self.judge(end_entity, intermediates, server_name, ocsp, now);
        *self.verdict.lock().unwrap_or_else(PoisonError::into_inner) = judged;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

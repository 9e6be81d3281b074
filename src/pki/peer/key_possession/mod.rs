//! The client's half of a TLS handshake: whether it holds the key of the
//! certificate it shows, and nothing else.
//!
//! A refusal within the handshake ends the connection without a word that a
//! person could read. So a certificate of any origin passes here, and is
//! judged when it is used: by [`super::chain`] and [`super::peer_keys`], for
//! every request, also on connections and TLS sessions that began long ago.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::{key_policy, version1};

#[cfg(test)]
mod tests;

/// Asks clients for a certificate, and verifies that they hold its key.
#[derive(Debug)]
pub(crate) struct PossessionVerifier {
    provider: Arc<CryptoProvider>,
    hints: Vec<DistinguishedName>,
}

impl PossessionVerifier {
    /// With the algorithms of this provider, and without hints: a service has one
    /// certificate for us, and shows that one.
    pub(crate) const fn new(provider: Arc<CryptoProvider>) -> Self {
        Self::naming(provider, Vec::new())
    }

    /// The same, telling clients which authorities' certificates are of use: a
    /// browser then asks its user only where there is one to choose.
    pub(crate) const fn naming(
        provider: Arc<CryptoProvider>,
        hints: Vec<DistinguishedName>,
    ) -> Self {
        Self { provider, hints }
    }
}

/// Whether a certificate can ever be admitted, as far as its own bytes tell.
/// One that cannot is refused before its chain is looked at; so its owner need
/// not prove anything to be told so.
pub(in crate::pki) fn can_be_admitted(certificate: &CertificateDer<'_>) -> bool {
    (ParsedCertificate::try_from(certificate).is_ok() || version1::is_version_1(certificate))
        && key_policy::key_of_certificate(certificate).is_ok()
}

impl ClientCertVerifier for PossessionVerifier {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &self.hints
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !can_be_admitted(certificate) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        if version1::is_version_1(certificate) {
            return version1::verify_tls12(message, certificate, signed, algorithms);
        }
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        if !can_be_admitted(certificate) {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let algorithms = &self.provider.signature_verification_algorithms;
        if version1::is_version_1(certificate) {
            return version1::verify_tls13(message, certificate, signed, algorithms);
        }
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    /// More than can be verified: a client whose key is of no use here shall
    /// show it nevertheless, and be told.
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let mut schemes = self.provider.signature_verification_algorithms.supported_schemes();
        schemes.extend([SignatureScheme::ED448, RSA_PSS_PSS_SHA256]);
        schemes
    }
}

/// `rsa_pss_pss_sha256` (RFC 8446 section 4.2.3), for keys that can do nothing else.
const RSA_PSS_PSS_SHA256: SignatureScheme = SignatureScheme::Unknown(0x0809);

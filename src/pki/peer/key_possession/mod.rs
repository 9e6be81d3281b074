//! The client's half of a TLS handshake: whether it has the key of the certificate it shows, and
//! nothing else.
//!
//! A refusal within the handshake ends the connection without an explanation. So a certificate of
//! any origin passes here, and is checked when it is used: by [`super::chain`] and
//! [`super::peer_keys`], for every request, also on connections and TLS sessions that began long
//! ago.
//!
//! Some keys are never taken, and TLS libraries cannot even verify some of their
//! signatures. Their owners pass too, to be told why, but nothing is proven of
//! them: [`ProvenChain`] cannot be made of such a certificate.

use std::sync::Arc;

use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{
    CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::key_policy::{self, Unfit};
use super::version1;
use crate::pki::PublicKey;
use crate::wire::Fingerprint;

#[cfg(test)]
mod tests;

/// A chain of certificates, the client's own first, whose key signed the handshake.
#[derive(Debug)]
pub(crate) struct ProvenChain {
    chain: Vec<CertificateDer<'static>>,
    public_key: Fingerprint,
}

impl ProvenChain {
    /// The chain that a client showed in a handshake with a [`PossessionVerifier`],
    /// as far as that proved anything.
    ///
    /// # Errors
    /// The verifier let the client pass without a proof: the certificate is good for nothing.
    pub(super) fn of_handshake(
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
    ) -> Result<Self, Unfit> {
        let public_key = key_to_prove(leaf)?.fingerprint();
        let chain = std::iter::once(leaf).chain(intermediates);
        Ok(Self { chain: chain.map(|one| one.clone().into_owned()).collect(), public_key })
    }

    /// The key that the client holds.
    pub(crate) const fn public_key(&self) -> Fingerprint {
        self.public_key
    }

    /// The certificates, the client's own first. Never empty.
    pub(super) fn certificates(&self) -> &[CertificateDer<'static>] {
        &self.chain
    }
}

/// The key that a handshake has to be signed with. The verifier and [`ProvenChain`] both
/// ask here, so that a chain counts as proven exactly where the signature was verified.
///
/// # Errors
/// The certificate can never count, as far as its own bytes tell.
fn key_to_prove(certificate: &CertificateDer<'_>) -> Result<PublicKey, Unfit> {
    let key = key_policy::key_of_certificate(certificate)?;
    let readable =
        ParsedCertificate::try_from(certificate).is_ok() || version1::is_version_1(certificate);
    if readable { Ok(key) } else { Err(Unfit::OtherVersion) }
}

/// Asks clients for a certificate, and verifies that they hold its key.
#[derive(Debug)]
pub(in crate::pki) struct PossessionVerifier {
    provider: Arc<CryptoProvider>,
    hints: Vec<DistinguishedName>,
}

impl PossessionVerifier {
    /// With the algorithms of this provider; `hints` tells clients which authorities'
    /// certificates are of use.
    pub(in crate::pki) const fn new(
        provider: Arc<CryptoProvider>,
        hints: Vec<DistinguishedName>,
    ) -> Self {
        Self { provider, hints }
    }

    /// Verifies a signature, unless no signature with this key could ever count: see
    /// [`ProvenChain`]. Rustls reads no certificates of version 1, which take the other way.
    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
        [by_rustls, version_1]: [Verify; 2],
    ) -> Result<HandshakeSignatureValid, Error> {
        if key_to_prove(certificate).is_err() {
            return Ok(HandshakeSignatureValid::assertion());
        }
        let verify = if version1::is_version_1(certificate) { version_1 } else { by_rustls };
        verify(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }
}

type Verify = fn(
    &[u8],
    &CertificateDer<'_>,
    &DigitallySignedStruct,
    &WebPkiSupportedAlgorithms,
) -> Result<HandshakeSignatureValid, Error>;

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
        self.verify(message, certificate, signed, [verify_tls12_signature, version1::verify_tls12])
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signed, [verify_tls13_signature, version1::verify_tls13])
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

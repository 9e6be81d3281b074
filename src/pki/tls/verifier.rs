//! The server's half of a TLS handshake, as clients verify it.

use std::fmt::Debug;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

/// Whether the certificate of a server is taken.
pub(crate) trait TrustServer: Debug + Send + Sync {
    /// Looks at a chain for a name at a moment.
    ///
    /// # Errors
    /// It is not taken, and the handshake ends.
    fn trusts(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error>;
}

/// Lets another decide which certificates are taken, and verifies besides that the server holds the key.
#[derive(Debug)]
pub(crate) struct ServerVerifier<T> {
    trust: Arc<T>,
    provider: Arc<CryptoProvider>,
}

impl<T> ServerVerifier<T> {
    pub(crate) const fn new(trust: Arc<T>, provider: Arc<CryptoProvider>) -> Self {
        Self { trust, provider }
    }
}

impl<T: TrustServer> ServerCertVerifier for ServerVerifier<T> {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.trust.trusts(leaf, intermediates, name, now)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

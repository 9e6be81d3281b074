//! Whether the core's certificate is from an authority of ours, by the same rules as for clients.

use std::path::Path;
use std::sync::Arc;

use rustls::client::verify_server_name;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, OtherError};

use super::verifier::TrustServer;
use crate::clock::Timestamp;
use crate::pki::peer::anchors::Anchors;
use crate::pki::peer::chain::{AuthorityError, servers};

/// Takes certificates of the authorities in a file.
#[derive(Debug)]
pub(crate) struct CoreTrust {
    anchors: Anchors,
}

impl CoreTrust {
    /// Reads the authorities, of which at least one must be fit.
    ///
    /// # Errors
    /// See [`AuthorityError`].
    pub(crate) fn load(path: &Path) -> Result<Self, AuthorityError> {
        Ok(Self { anchors: servers(path)? })
    }
}

impl TrustServer for CoreTrust {
    fn trusts(
        &self,
        leaf: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        now: UnixTime,
    ) -> Result<(), Error> {
        let parsed = ParsedCertificate::try_from(leaf)?;
        let now = Timestamp::from_unix(now.as_secs());
        self.anchors.verify(leaf, intermediates, &[], now).map_err(error)?;
        verify_server_name(&parsed, name)
    }
}

fn error(error: webpki::Error) -> Error {
    Error::InvalidCertificate(match error {
        webpki::Error::UnknownIssuer => CertificateError::UnknownIssuer,
        webpki::Error::CertExpired { .. } => CertificateError::Expired,
        webpki::Error::CertNotValidYet { .. } => CertificateError::NotValidYet,
        webpki::Error::RequiredEkuNotFoundContext(_) => CertificateError::InvalidPurpose,
        webpki::Error::InvalidSignatureForPublicKey => CertificateError::BadSignature,
        other => CertificateError::Other(OtherError(Arc::new(other))),
    })
}

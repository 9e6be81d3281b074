//! Whose client certificates are accepted.

use std::sync::Arc;

use rustls::DistinguishedName;
use tokio::task::spawn_blocking;

use crate::clock;
use crate::config::section::AuthorityFiles;
use crate::pki::peer::chain::{Authorities, AuthorityError};
use crate::pki::peer::presented::{PresentedCertificate, ProvenCertificate};
use crate::wire::{Denied, Reason};

/// The authorities of clients' certificates.
#[derive(Clone, Debug)]
pub(crate) struct Clients(Arc<Authorities>);

impl Clients {
    /// Reads the files.
    ///
    /// # Errors
    /// They cannot be used.
    pub(crate) fn load(files: &AuthorityFiles) -> Result<Self, AuthorityError> {
        Ok(Self(Arc::new(Authorities::load(files.clone())?)))
    }

    /// The names of the authorities, for clients to choose a certificate by. Handshakes
    /// name them as they were at the last reload.
    pub(super) fn subjects(&self) -> Vec<DistinguishedName> {
        self.0.current().subjects().to_vec()
    }

    /// The certificate, where it counts now and the client holds its key. Files are
    /// looked at once a second.
    ///
    /// # Errors
    /// It does not count, and why.
    pub(crate) async fn validate<'a>(
        &self,
        shown: &'a Arc<PresentedCertificate>,
    ) -> Result<&'a ProvenCertificate, Denied> {
        let (proven, now) = (shown.proven()?, clock::now());
        if let Some(validated) = proven.validated(now) {
            return validated.map(|()| proven);
        }
        let (authorities, shown) = (Arc::clone(&self.0), Arc::clone(shown));
        let validating =
            spawn_blocking(move || shown.proven()?.validate(authorities.current(), now));
        let validated = validating
            .await
            .unwrap_or_else(|error| Err(Denied::new(Reason::CertificateForm, error.to_string())));
        validated.map(|()| proven)
    }
}

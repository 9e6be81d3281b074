//! Whose certificates are taken from clients.

use std::sync::Arc;

use rustls::crypto::CryptoProvider;
use tokio::task::spawn_blocking;

use crate::clock;
use crate::config::checked::AuthorityFiles;
use crate::pki::peer::chain::{Authorities, AuthorityError};
use crate::pki::peer::key_possession::PossessionVerifier;
use crate::pki::peer::presented::PresentedCertificate;
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

    /// Asks for a certificate of one of the authorities and demands none. Browsers
    /// that have no such certificate do not ask their user. What is named there
    /// stays as it was at the last reload.
    pub(super) fn verifier(&self, provider: Arc<CryptoProvider>) -> Arc<PossessionVerifier> {
        let hints = self.0.current().subjects().to_vec();
        Arc::new(PossessionVerifier::naming(provider, hints))
    }

    /// Whether a certificate counts now. Files are looked at once a second.
    ///
    /// # Errors
    /// It does not, and why.
    pub(crate) async fn validate(&self, shown: &Arc<PresentedCertificate>) -> Result<(), Denied> {
        let now = clock::now();
        if let Some(judged) = shown.judged(now) {
            return judged;
        }
        let (authorities, shown) = (Arc::clone(&self.0), Arc::clone(shown));
        let judging = spawn_blocking(move || shown.judge(authorities.current(), now));
        judging
            .await
            .unwrap_or_else(|error| Err(Denied::new(Reason::CertificateForm, error.to_string())))
    }
}

//! A certificate as a client shows it in its handshake, and its judgement.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;

use super::chain::Loaded;
use super::key_policy;
use crate::clock::Timestamp;
use crate::pki::file::certificate::Certificate;
use crate::wire::Denied;

/// A certificate whose key the client has proven to hold (see [`super::key_possession`]).
#[derive(Debug)]
pub(crate) struct PresentedCertificate {
    chain: Vec<CertificateDer<'static>>,
    key: String,
    facts: Option<Certificate>,
    judged: Mutex<Option<Judged>>,
}

/// A chain's judgement. Within a second, and by the same authorities, it stays
/// the same, and signatures need not be verified again.
#[derive(Debug)]
struct Judged {
    by: Arc<Loaded>,
    at: Timestamp,
    outcome: Result<(), Denied>,
}

impl PresentedCertificate {
    /// The chain of a handshake, the client's own certificate first; `None`
    /// where it showed none.
    pub(crate) fn new(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let leaf = chain.first()?;
        Some(Self {
            key: key_policy::key_of_certificate(leaf)
                .map_or_else(|_| String::new(), |key| key.fingerprint()),
            facts: Certificate::read(leaf).ok(),
            chain: chain.iter().map(|certificate| certificate.clone().into_owned()).collect(),
            judged: Mutex::default(),
        })
    }

    /// The [fingerprint](crate::pki::PublicKey::fingerprint) of its key; empty for a
    /// key that is never taken.
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    /// What it says of itself; `None` where that cannot be read.
    pub(crate) const fn facts(&self) -> Option<&Certificate> {
        self.facts.as_ref()
    }

    /// Whether it counts at a moment.
    ///
    /// # Errors
    /// As [`Loaded::judge`].
    pub(crate) fn judge(&self, by: Arc<Loaded>, now: Timestamp) -> Result<(), Denied> {
        let mut judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(judged) = &*judged
            && judged.at == now
            && Arc::ptr_eq(&judged.by, &by)
        {
            return judged.outcome.clone();
        }
        let outcome = by.judge(&self.chain, now);
        *judged = Some(Judged { by, at: now, outcome: outcome.clone() });
        outcome
    }

    /// What was judged within the same second, without a look at any file.
    pub(crate) fn judged(&self, now: Timestamp) -> Option<Result<(), Denied>> {
        let judged = self.judged.lock().unwrap_or_else(PoisonError::into_inner);
        judged.as_ref().filter(|judged| judged.at == now).map(|judged| judged.outcome.clone())
    }
}

/// What it says of itself, for answers and the log.
impl fmt::Display for PresentedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.facts {
            Some(facts) => facts.fmt(f),
            None => f.write_str("a damaged certificate"),
        }
    }
}

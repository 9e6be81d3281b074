//! A certificate that a client showed in its handshake, and whether it is accepted.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::pki_types::CertificateDer;

use super::chain::Loaded;
use super::key_policy::Unfit;
use super::key_possession::ProvenChain;
use crate::clock::Timestamp;
use crate::pki::file::certificate::Certificate;
use crate::wire::{Denied, Fingerprint};

/// A certificate that a client showed, and whether its handshake proved that the client
/// holds the key.
#[derive(Debug)]
pub(crate) enum PresentedCertificate {
    Proven(ProvenCertificate),
    /// The key is of a kind that is never taken, so its signature was not verified. Anybody
    /// can show this certificate.
    Unproven {
        /// Why the key is never taken.
        unfit: Unfit,
        /// What the certificate says of itself; `None` where that cannot be read.
        facts: Option<Certificate>,
    },
}

/// A certificate whose key the client holds. Whether it counts is a matter of the moment.
#[derive(Debug)]
pub(crate) struct ProvenCertificate {
    chain: ProvenChain,
    facts: Option<Certificate>,
    validated: Mutex<Option<Validated>>,
}

/// The last validation of a chain. Within a second, and by the same authorities, it stays
/// the same, and signatures need not be verified again.
#[derive(Debug)]
struct Validated {
    by: Arc<Loaded>,
    at: Timestamp,
    outcome: Result<(), Denied>,
}

impl PresentedCertificate {
    /// Of the chain that a handshake with a
    /// [`PossessionVerifier`](super::key_possession::PossessionVerifier) left, the client's
    /// own certificate first; `None` where it showed none.
    pub(crate) fn of_handshake(chain: &[CertificateDer<'_>]) -> Option<Self> {
        let [leaf, intermediates @ ..] = chain else { return None };
        let facts = Certificate::read(leaf).ok();
        Some(match ProvenChain::of_handshake(leaf, intermediates) {
            Ok(chain) => {
                Self::Proven(ProvenCertificate { chain, facts, validated: Mutex::default() })
            }
            Err(unfit) => Self::Unproven { unfit, facts },
        })
    }

    /// The certificate, where the client holds its key.
    ///
    /// # Errors
    /// The key is never taken, and why.
    pub(crate) fn proven(&self) -> Result<&ProvenCertificate, Denied> {
        match self {
            Self::Proven(certificate) => Ok(certificate),
            Self::Unproven { unfit, .. } => Err(Denied::new(unfit.reason(), unfit.to_string())),
        }
    }
}

impl ProvenCertificate {
    /// Its key, which the client holds.
    pub(crate) const fn public_key(&self) -> Fingerprint {
        self.chain.public_key()
    }

    /// What it says of itself; `None` where that cannot be read.
    pub(crate) const fn facts(&self) -> Option<&Certificate> {
        self.facts.as_ref()
    }

    /// Validates it at a moment.
    ///
    /// # Errors
    /// It does not count: as [`Loaded::validate`].
    pub(crate) fn validate(&self, by: Arc<Loaded>, now: Timestamp) -> Result<(), Denied> {
        let mut validated = self.validated.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(validated) = &*validated
            && validated.at == now
            && Arc::ptr_eq(&validated.by, &by)
        {
            return validated.outcome.clone();
        }
        let outcome = by.validate(&self.chain, now);
        *validated = Some(Validated { by, at: now, outcome: outcome.clone() });
        outcome
    }

    /// What was validated within the same second, without a look at any file.
    pub(crate) fn validated(&self, now: Timestamp) -> Option<Result<(), Denied>> {
        let validated = self.validated.lock().unwrap_or_else(PoisonError::into_inner);
        validated
            .as_ref()
            .filter(|validated| validated.at == now)
            .map(|validated| validated.outcome.clone())
    }
}

/// What it says of itself, for answers and the log.
impl fmt::Display for PresentedCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Proven(ProvenCertificate { facts, .. }) | Self::Unproven { facts, .. }) = self;
        match facts {
            Some(facts) => facts.fmt(f),
            None => f.write_str("a damaged certificate"),
        }
    }
}

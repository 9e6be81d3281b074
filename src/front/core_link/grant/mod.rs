//! The permission to use a site as a user, and what applications learn about that user.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::{Duration, Instant};

use crate::clock;
use crate::config::section::HeaderNames;
use crate::wire::Session;
use headers::{IdentityCache, IdentityHeaders};

mod headers;

pub(in crate::front) use headers::{Issued, Unsendable};

/// Leave to use a site as a user.
#[derive(Clone, Debug)]
pub(in crate::front) struct Grant(Arc<Granted>);

#[derive(Debug)]
struct Granted {
    session: Session,
    asked_at: Instant,
    asking: AtomicBool,
    identity: IdentityCache,
}

impl Grant {
    /// Made from the core's answer, and nowhere else.
    pub(super) fn new(session: Session) -> Self {
        Self(Arc::new(Granted {
            session,
            asked_at: clock::instant(),
            asking: AtomicBool::new(false),
            identity: IdentityCache::default(),
        }))
    }

    /// What the core said.
    pub(in crate::front) fn session(&self) -> &Session {
        &self.0.session
    }

    /// How long ago the core was asked.
    pub(super) fn age(&self) -> Duration {
        clock::instant().saturating_duration_since(self.0.asked_at)
    }

    /// Whether the caller is the first that asks the core anew: nobody else is to.
    pub(super) fn begins_renewal(&self) -> bool {
        !self.0.asking.swap(true, Ordering::Relaxed)
    }

    /// The identity headers under these names, rendered once for all its requests.
    ///
    /// # Errors
    /// No header can carry the login name, mail address or company unchanged.
    pub(in crate::front) fn identity_headers(
        &self,
        names: &HeaderNames,
    ) -> Result<&IdentityHeaders, &Unsendable> {
        self.0.identity.headers(&self.0.session, names)
    }

    /// The assertions that were issued for it.
    pub(in crate::front) fn issued(&self) -> MutexGuard<'_, Vec<Issued>> {
        self.0.identity.issued()
    }

    /// A grant without a core.
    #[cfg(test)]
    pub(in crate::front) fn for_test(session: Session) -> Self {
        Self::new(session)
    }
}

//! Asks the core, and remembers what it granted.

use std::sync::Arc;

use super::upstream::IdentityCache;
use crate::wire::Session;

/// Leave to use a site as a user: made only from the core's answer.
#[derive(Clone, Debug)]
pub struct Grant(Arc<Granted>);

#[derive(Debug)]
struct Granted {
    session: Session,
    identity: IdentityCache,
}

impl Grant {
    /// What the core said.
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// What was rendered for applications once already.
    pub(super) fn identity(&self) -> &IdentityCache {
        &self.0.identity
    }

    /// A grant without a core.
    #[cfg(test)]
    pub(super) fn for_test(session: Session) -> Self {
        Self(Arc::new(Granted { session, identity: IdentityCache::default() }))
    }
}

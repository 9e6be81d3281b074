//! A name that somebody wrote, and whom it names.

use super::{Identity, Rules, Via, identify};
use crate::wire::{Denied, LoginId};

/// A name that could sign on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    name: String,
    identity: Identity,
}

impl Named {
    /// Reads a name.
    ///
    /// # Errors
    /// Its realm is not allowed, or it can be no login.
    pub(crate) fn read(name: String, rules: &Rules) -> Result<Self, Denied> {
        let identity = identify(&name, Via::Trusted, rules)?;
        Ok(Self { name, identity })
    }

    /// As it was written.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Whom it names.
    pub(crate) const fn login_id(&self) -> &LoginId {
        self.identity.login_id()
    }

    /// As it was written, and whom it names.
    pub(crate) fn into_parts(self) -> (String, Identity) {
        (self.name, self.identity)
    }
}

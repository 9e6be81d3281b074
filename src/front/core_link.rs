//! Asks the core, and remembers what it granted.

use std::sync::Arc;

use crate::wire::Session;

/// Leave to use a site as a user: made only from the core's answer.
#[derive(Clone, Debug)]
pub struct Grant(Arc<Session>);

impl Grant {
    /// What the core said.
    pub fn session(&self) -> &Session {
        &self.0
    }
}

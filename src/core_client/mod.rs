//! The client of the core: a method for each verb of its API, over its unix socket or TLS.
//!
//! `sessions` are verbs for everybody, `front` for fronts, `admin` for administrators; the
//! connection (`target`) identifies us to the core.

use std::time::Duration;

use crate::config::section::CoreAddress;

mod admin;
mod call;
mod error;
mod events;
mod front;
mod pool;
mod sessions;
mod target;

pub(crate) use admin::{Page, SessionFilter};
pub(crate) use error::ClientError;
pub(crate) use events::Events;
use pool::Pool;
pub(crate) use target::CredentialError;
use target::Target;

/// Asks the core. Connections are kept and shared; calls may run at once.
#[derive(Debug)]
pub(crate) struct Client {
    pool: Pool,
    patience: Duration,
}

impl Client {
    /// A client of the core at `address`. Nothing is connected yet.
    pub(crate) fn new(address: CoreAddress) -> Self {
        let pool = Pool::new(Target::new(address), MAX_CONNECTIONS);
        Self { pool, patience: CALL_TIMEOUT }
    }

    /// A client that waits for answers which take their time: the core asks a
    /// KDC before, and answers wrong passwords late.
    pub(crate) fn patient(address: CoreAddress) -> Self {
        let pool = Pool::new(Target::new(address), MAX_PATIENT_CONNECTIONS);
        Self { pool, patience: PATIENT_TIMEOUT }
    }

    /// Reads key, certificate and authority, where the core is asked by TLS.
    /// They are read again when their files change.
    ///
    /// # Errors
    /// [`ClientError::Credentials`].
    pub(crate) async fn prepare(&self) -> Result<(), ClientError> {
        self.pool.target().prepare().await
    }
}

/// From the wish to ask until the whole answer stands here.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// The same where the core itself waits: longer than it does.
const PATIENT_TIMEOUT: Duration = Duration::from_secs(25);
/// Calls at once; further ones wait. The pool never holds more connections.
const MAX_CONNECTIONS: usize = 32;
/// The same of calls that spend their time with waiting.
const MAX_PATIENT_CONNECTIONS: usize = 128;

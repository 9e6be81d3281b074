//! What the core tells subscribers.

use serde::{Deserialize, Serialize};

use super::SessionKey;

/// What `GET /v1/events` tells, one JSON object an event (`event: session`). More kinds
/// may come: whoever listens passes over those that it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub(crate) enum Event {
    /// The stream stands: whatever was cached before may have missed events.
    Hello,
    /// A session has ended. `id` is the SHA-256 of the session's secret, in hex.
    SessionEnded {
        /// SHA-256 of the secret id, lower-case hex on the wire.
        id: SessionKey,
    },
    /// What a newer core tells.
    #[serde(other)]
    Other,
}

//! A session, as its user sees it, and the answers that contain one.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{ErrorBody, Fingerprint, Mechanism, User};
use crate::clock::Timestamp;

mod ending;
pub(crate) mod key;
mod secret;

pub(crate) use ending::{Ended, Ending};
pub(crate) use key::SessionKey;
pub(crate) use secret::SessionSecret;

/// The answer to opening or resolving a session.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Session {
    /// The session's secret id: the bearer's proof.
    pub session: SessionSecret,
    /// Whose it is.
    pub user: Arc<User>,
    /// How its owner was proven.
    pub mechanism: Mechanism,
    /// The principal as it was proven.
    pub principal: String,
    /// By password: the name as it was typed. Forgotten when the core restarts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<String>,
    /// The key that opened it, as in [`Proof`]: it counts only where its holder shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_key: Option<Fingerprint>,
    /// Whether the proof was bound to a TLS channel.
    pub channel_bound: bool,
    /// When it ends at the latest.
    pub expires_at: Timestamp,
    /// The only address it may be used from, under `session_ip_check`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub only_from: Option<IpAddr>,
    /// The node that is home to the user.
    pub home_server: String,
    /// Where to go instead, on the wrong node.
    pub redirect: Option<String>,
}

/// The secret id is never shown; its key is enough to follow a session.
impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("key", &self.session)
            .field("login", &self.user.login())
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The answer to [`SignOns`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SignOnAnswers {
    /// One for each proof, in order.
    pub answers: Vec<SignOnAnswer>,
}

/// What became of one of several sign-ons.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", from = "Became")]
pub(crate) enum SignOnAnswer {
    /// A session was opened.
    Granted(Session),
    /// It was not.
    Refused(ErrorBody),
    /// What a newer core answers: no session.
    #[serde(skip_serializing)]
    Other,
}

/// The parts that an answer may have.
#[derive(Deserialize)]
struct Became {
    granted: Option<Session>,
    refused: Option<ErrorBody>,
}

impl From<Became> for SignOnAnswer {
    fn from(answer: Became) -> Self {
        match answer {
            Became { refused: Some(body), .. } => Self::Refused(body),
            Became { granted: Some(session), .. } => Self::Granted(session),
            Became { granted: None, refused: None } => Self::Other,
        }
    }
}

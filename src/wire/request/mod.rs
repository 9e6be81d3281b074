//! What is asked of the core to open sessions.

use serde::{Deserialize, Serialize};

pub(crate) mod attempts;
mod beyond;
pub(crate) mod open;
mod password;
mod proof;

pub(crate) use open::OpenSession;
pub(crate) use password::Password;
pub(crate) use proof::{Account, AccountKind, Proof};

/// `POST /v1/sign-ons`: several sign-ons for one round trip and one write to the disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SignOns<T> {
    /// Each as `POST /v1/sessions` would take it: an [`OpenSession`] where it is sent,
    /// and its [`open::Fields`] where it is read, so that one that is not understood
    /// is answered by itself.
    pub proofs: Vec<T>,
}

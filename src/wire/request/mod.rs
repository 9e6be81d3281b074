//! What is asked of the core to open sessions.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::SessionSecret;

pub(crate) mod attempts;
mod beyond;
mod password;
mod proof;

pub(crate) use beyond::Beyond;
pub(crate) use password::Password;
pub(crate) use proof::{Account, AccountKind, Proof};

/// `POST /v1/sessions`: exactly one of `proof`, `user` with `trusted`, `user` with
/// `password`, or the caller's own `user`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct OpenSession {
    /// What a front has proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<Proof>,
    /// Whom the caller names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// The caller vouches for `user`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trusted: bool,
    /// The password of `user`. Whoever sends one has it checked, also a peer that needs none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub password: Option<Password>,
    /// The password came to a front by HTTP Basic authentication.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub basic: bool,
    /// As whom the session shall be, if as somebody else: for administrators.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act_as: Option<String>,
    /// The client's network address, as the front sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The secret that the new session shall have, beside `proof` or a `basic`
    /// password: a front makes it of the cookie's secret and of the origin that
    /// the cookie is for. Without it the core makes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<SessionSecret>,
    /// What a newer peer asks beyond.
    #[serde(flatten, skip_serializing)]
    pub beyond: Beyond,
}

/// `POST /v1/sign-ons`: several sign-ons for one round trip and one write to the disk.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SignOns {
    /// Each as `POST /v1/sessions` would take it.
    pub proofs: Vec<OpenSession>,
}

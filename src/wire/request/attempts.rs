//! Attempts at a password that a front has checked elsewhere (NTLM, by winbind).
//! The core keeps count of them, together with those that it checks itself.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::wire::ErrorBody;

/// `POST /v1/attempts`: attempts that begin, and what came of earlier ones, as
/// many as wait together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempts {
    /// Those for which leave is asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub begin: Vec<Attempt>,
    /// What came of those that had leave.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub end: Vec<EndedAttempt>,
}

/// Somebody is about to have a password checked.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Attempt {
    /// Who that claims to be, as the client wrote it.
    pub user: String,
    /// The domain that the client wrote beside it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub domain: String,
    /// The client's network address, as the front sees it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EndedAttempt {
    /// The number that it was given.
    pub attempt: u64,
    /// How it ended.
    pub verdict: AttemptVerdict,
}

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AttemptVerdict {
    /// The password was right.
    Right,
    /// It was wrong, or there is no such account, or it may not sign on.
    Wrong,
    /// Nobody could say.
    Unknown,
}

/// The answer to [`Attempts`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AttemptAnswers {
    /// One for each attempt that began, in order.
    pub answers: Vec<AttemptAnswer>,
}

/// Whether an attempt may be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum AttemptAnswer {
    /// It may, under this number. What came of it is to be told within a minute:
    /// one of which nothing is heard counts as wrong.
    Begun(u64),
    /// Not before another one, which is being checked at this moment, has ended.
    Wait,
    /// It may not.
    Refused(ErrorBody),
}

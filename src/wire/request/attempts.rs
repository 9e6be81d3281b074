//! Attempts at a password that a front has checked elsewhere (NTLM, by winbind).
//! The core keeps count of them, together with those that it checks itself.

use std::net::IpAddr;

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::wire::ErrorBody;

/// `POST /v1/attempts`: attempts that begin, and what came of earlier ones, as
/// many as wait together.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// Nobody could say.
    Unknown,
    /// It was wrong, or there is no such account, or it may not sign on. A word of a
    /// newer front counts as this one, so that no wrong password goes uncounted.
    #[serde(other)]
    Wrong,
}

/// The answer to [`Attempts`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct AttemptAnswers {
    /// One for each attempt that began, in order.
    pub answers: Vec<AttemptAnswer>,
}

/// Whether an attempt may be made.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", from = "Answered")]
pub(crate) enum AttemptAnswer {
    /// It may, under this number. What came of it is to be told within a minute:
    /// one of which nothing is heard counts as wrong.
    Begun(u64),
    /// Not before another one, which is being checked at this moment, has ended.
    Wait,
    /// It may not.
    Refused(ErrorBody),
}

/// The answers that are known here.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Known {
    Begun(u64),
    Wait,
    Refused(ErrorBody),
}

/// The same, or what a newer core answers.
#[derive(Deserialize)]
#[serde(untagged)]
enum Answered {
    Known(Known),
    Other(IgnoredAny),
}

/// What is not known gives no leave.
impl From<Answered> for AttemptAnswer {
    fn from(answer: Answered) -> Self {
        match answer {
            Answered::Known(Known::Begun(number)) => Self::Begun(number),
            Answered::Known(Known::Wait) => Self::Wait,
            Answered::Known(Known::Refused(body)) => Self::Refused(body),
            Answered::Other(_) => Self::Refused(ErrorBody::of_newer_core()),
        }
    }
}

//! A denial, as it travels inside one process.

use std::fmt;

use super::Reason;

/// Somebody is not signed on, or may not do something: why, and what was wrong in
/// this case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Denied {
    /// For metrics, audit and page.
    pub reason: Reason,
    /// For log and audit alone; may be empty.
    pub detail: String,
}

impl Denied {
    /// A denial with its story.
    pub(crate) fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

/// A reason that needs no story.
impl From<Reason> for Denied {
    fn from(reason: Reason) -> Self {
        Self { reason, detail: String::new() }
    }
}

/// As a line of the log has it.
impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.detail.as_str() {
            "" => self.reason.fmt(f),
            detail => write!(f, "{}: {detail}", self.reason),
        }
    }
}

//! What a check found.

use std::fmt;

use serde::Serialize;

/// One line of the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli::check) struct Finding {
    /// What was looked at: a word or two.
    check: &'static str,
    status: Status,
    found: String,
    mend: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub(in crate::cli::check) enum Status {
    /// As it should be.
    #[serde(rename = "ok")]
    Ok,
    /// It works, but may not be what is wanted.
    #[serde(rename = "warn")]
    Warn,
    /// It keeps people from signing on, or strangers from being kept out.
    #[serde(rename = "FAIL")]
    Fail,
}

impl Finding {
    /// Something is as it should be.
    pub(in crate::cli::check) fn ok(check: &'static str, found: impl Into<String>) -> Self {
        Self { check, status: Status::Ok, found: found.into(), mend: None }
    }

    /// Something should be looked at. The fix comes from [`crate::advice`].
    pub(in crate::cli::check) fn warn(
        check: &'static str,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { check, status: Status::Warn, found: found.into(), mend: Some(mend.into()) }
    }

    /// Something has to be mended. The fix comes from [`crate::advice`].
    pub(in crate::cli::check) fn fail(
        check: &'static str,
        found: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { check, status: Status::Fail, found: found.into(), mend: Some(mend.into()) }
    }

    /// Something has to be mended, as an error says in the form `what; mend`.
    pub(in crate::cli::check) fn error(check: &'static str, said: &str, otherwise: &str) -> Self {
        let (found, mend) = said.split_once("; ").unwrap_or((said, otherwise));
        Self::fail(check, found, mend)
    }

    /// Something should be looked at, as an error says in the form `what; mend`.
    pub(in crate::cli::check) fn warning(check: &'static str, said: &str, otherwise: &str) -> Self {
        let (found, mend) = said.split_once("; ").unwrap_or((said, otherwise));
        Self::warn(check, found, mend)
    }

    /// Whether it has to be mended.
    pub(in crate::cli::check) fn failed(&self) -> bool {
        self.status == Status::Fail
    }

    pub(in crate::cli::check) fn found(&self) -> &str {
        &self.found
    }

    pub(in crate::cli::check) const fn status(&self) -> Status {
        self.status
    }

    /// The line behind its status.
    pub(in crate::cli::check) fn line(&self) -> String {
        let Self { check, found, mend, .. } = self;
        let ends = if found.ends_with(['.', '?', '!']) { "" } else { "." };
        let mend = mend.as_ref().map(|mend| format!("{ends} Fix: {mend}")).unwrap_or_default();
        format!("{check}: {found}{mend}")
    }
}

impl Status {
    /// The word at the beginning of a line.
    pub(in crate::cli::check) const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<4}  {}", self.status.word(), self.line())
    }
}

#[cfg(test)]
mod tests {
    use crate::cli::check::report::*;

    #[test]
    fn a_line_tells_status_finding_and_mend() {
        let finding = Finding::fail("keytab", "/k does not exist", "export it");
        assert_eq!(finding.to_string(), "FAIL  keytab: /k does not exist. Fix: export it");
        let asking = Finding::warn("kdc", "does it run?", "look");
        assert_eq!(asking.line(), "kdc: does it run? Fix: look");
        assert_eq!(Finding::ok("clock", "fine").to_string(), "ok    clock: fine");
    }

    #[test]
    fn an_error_that_says_its_mend_keeps_it() {
        let finding = Finding::error("keytab", "/k is missing; export it", "look");
        assert_eq!(finding, Finding::fail("keytab", "/k is missing", "export it"));
        assert_eq!(Finding::error("x", "it broke", "look"), Finding::fail("x", "it broke", "look"));
    }

    #[test]
    fn json_has_the_same_words() {
        let json = serde_json::to_value(Finding::warn("keytab", "RC4 only", "add AES")).unwrap();
        let expected = serde_json::json!({
            "check": "keytab", "status": "warn", "found": "RC4 only", "mend": "add AES"
        });
        assert_eq!(json, expected);
    }
}

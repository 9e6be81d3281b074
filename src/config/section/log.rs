//! `[log]`

use std::path::PathBuf;

use crate::config::reading::{Word, section};
use crate::config::value_types::one_of;

section! {
    /// `[log]`
    Written {
        level: tracing::Level = r#""info""#, Reload, "The lowest level of the lines that are written.";
        format: LogFormat = r#""""#, Restart, "Format of log lines; empty: text on a terminal, JSON otherwise.";
        audit: AuditFile = r#""stderr""#, Restart, "Where audit lines go, one JSON object a line.";
        audit_required: bool = "false", Restart, "Whether a sign-on fails if its audit line cannot be written to the disk.";
    }
}

/// `[log]`
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// The lowest level of the lines that are written.
    pub level: tracing::Level,
    /// How lines look.
    pub format: LogFormat,
    /// Where audit lines go.
    pub audit: AuditTarget,
    /// Whether a sign-on fails if its audit line cannot be written to the disk.
    pub audit_required: bool,
}

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Automatic,
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.audit`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuditTarget {
    /// Standard error, beside the log.
    Stderr,
    /// A file, appended to; reopened on SIGHUP.
    File(PathBuf),
}

pub(super) fn check(written: &Written) -> Log {
    Log {
        level: written.level.value,
        format: written.format.value,
        audit_required: written.audit_required.value,
        audit: match &written.audit.0 {
            Some(path) => AuditTarget::File(path.clone()),
            None => AuditTarget::Stderr,
        },
    }
}

/// Where audit lines go: `None` is standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct AuditFile(pub(in crate::config) Option<PathBuf>);

impl Word for tracing::Level {
    const TYPE: &'static str = "error, warn, info, debug or trace";

    fn parse(text: &str) -> Result<Self, String> {
        let levels = [
            ("error", Self::ERROR),
            ("warn", Self::WARN),
            ("info", Self::INFO),
            ("debug", Self::DEBUG),
            ("trace", Self::TRACE),
        ];
        one_of(text, &levels)
    }
}

impl Word for LogFormat {
    const TYPE: &'static str = "text, json or empty";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("", Self::Automatic), ("text", Self::Text), ("json", Self::Json)])
    }
}

impl Word for AuditFile {
    const TYPE: &'static str = "stderr or absolute path";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "stderr" => Ok(Self(None)),
            path if path.starts_with('/') && !path.contains('\0') => {
                Ok(Self(Some(PathBuf::from(path))))
            }
            _ => Err("is neither stderr nor an absolute path; begin the path with /".to_owned()),
        }
    }
}

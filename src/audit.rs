//! The audit log: one JSON object a line for everything that grants, refuses or ends.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::clock::{self, Timestamp};
use crate::config::checked::AuditTarget;
use crate::wire::{Mechanism, Reason};

/// What happened.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Happening {
    /// Somebody was signed on and given a session.
    SignOn,
    /// Somebody who is signed on may not use a site.
    Access,
    /// A session ended.
    SessionEnd,
    /// A peer asked the core for something.
    Peer,
}

/// How it went.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It was allowed.
    Granted,
    /// It was not.
    Refused,
}

/// One line of the audit log. What is not known is left out.
#[derive(Debug, Serialize)]
pub struct Line<'a> {
    /// What happened.
    pub event: Happening,
    /// How it went.
    pub outcome: Verdict,
    /// Why it was refused, or why a session ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// More words on the reason, never a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<&'a str>,
    /// By what the identity was proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Mechanism>,
    /// The principal as proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<&'a str>,
    /// The login name it became.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub login: Option<&'a str>,
    /// Whether the proof was bound to the TLS channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_bound: Option<bool>,
    /// The client's address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The peer of the core that asked, such as `uid 33`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<&'a str>,
    /// The site that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<&'a str>,
    /// The first eight hex digits of the SHA-256 of the session's secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<&'a str>,
    /// The number on the page that the person sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<&'a str>,
}

impl Line<'_> {
    /// A line with nothing known but what happened.
    pub const fn new(event: Happening, outcome: Verdict) -> Self {
        Self {
            event,
            outcome,
            reason: None,
            detail: None,
            mechanism: None,
            principal: None,
            login: None,
            channel_bound: None,
            client: None,
            peer: None,
            site: None,
            session: None,
            reference: None,
        }
    }
}

/// Where audit lines go. Lines of several threads never mix.
#[derive(Debug)]
pub struct Audit {
    target: AuditTarget,
    file: Mutex<Option<File>>,
}

impl Audit {
    /// Opens the target.
    ///
    /// # Errors
    /// The file cannot be opened for appending.
    pub fn open(target: AuditTarget) -> io::Result<Self> {
        let file = open(&target)?;
        Ok(Self { target, file: Mutex::new(file) })
    }

    /// Opens the file again, after it was rotated.
    ///
    /// # Errors
    /// The file cannot be opened; lines go on to the old one.
    pub fn reopen(&self) -> io::Result<()> {
        let fresh = open(&self.target)?;
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }

    /// Writes one line. A line that cannot be written is said in the log.
    pub fn write(&self, line: &Line<'_>) {
        #[derive(Serialize)]
        struct Stamped<'a> {
            time: Timestamp,
            target: &'static str,
            #[serde(flatten)]
            line: &'a Line<'a>,
        }
        let stamped = Stamped { time: clock::now(), target: "audit", line };
        let Ok(mut text) = serde_json::to_vec(&stamped) else {
            tracing::error!("an audit line could not be written as JSON");
            return;
        };
        text.push(b'\n');
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match file.as_mut() {
            Some(file) => file.write_all(&text),
            None => io::stderr().lock().write_all(&text),
        };
        if let Err(error) = written {
            tracing::error!(%error, "an audit line was lost");
        }
    }
}

fn open(target: &AuditTarget) -> io::Result<Option<File>> {
    match target {
        AuditTarget::Stderr => Ok(None),
        AuditTarget::File(path) => append(path).map(Some),
    }
}

fn append(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

//! The audit log: one JSON object a line for everything that grants, refuses or ends.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::IpAddr;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use serde::Serialize;

use crate::clock::{self, Timestamp};
use crate::config::checked::AuditTarget;
use crate::wire::{Ending, Mechanism, Reason};

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
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why a session ended. The log has one field `reason`, so never beside that one.
    #[serde(rename = "reason", skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ending>,
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
    /// The peer of the core that asked, such as `uid 33` or `key webapp-public.pem from 192.0.2.1`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<&'a str>,
    /// A file in `sslkeys_path`: of the key that signed on by certificate, otherwise
    /// of that peer's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<&'a str>,
    /// The administrator who acts as the one it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub impersonator: Option<&'a str>,
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
            ended: None,
            detail: None,
            mechanism: None,
            principal: None,
            login: None,
            channel_bound: None,
            client: None,
            peer: None,
            key: None,
            impersonator: None,
            site: None,
            session: None,
            reference: None,
        }
    }
}

/// Where audit lines go. A thread of its own writes them, so that a slow disk
/// or a full pipe never holds up a sign-on; what was handed over is written
/// before this is dropped.
#[derive(Debug)]
pub struct Audit {
    target: AuditTarget,
    orders: Option<SyncSender<Order>>,
    writer: Option<JoinHandle<()>>,
}

enum Order {
    Line(Vec<u8>),
    Reopened(Output),
}

type Output = Box<dyn Write + Send>;

impl Audit {
    /// Opens the target, and starts the thread.
    ///
    /// # Errors
    /// The file cannot be opened for appending, or there is no thread to be had.
    pub fn open(target: AuditTarget) -> io::Result<Self> {
        let output = open(&target)?;
        let (orders, taken) = sync_channel(WAITING);
        let writer = thread::Builder::new()
            .name("audit".to_owned())
            .spawn(move || write_all(output, &taken))?;
        Ok(Self { target, orders: Some(orders), writer: Some(writer) })
    }

    /// Opens the file again, after it was rotated.
    ///
    /// # Errors
    /// The file cannot be opened; lines go on to the old one.
    pub fn reopen(&self) -> io::Result<()> {
        let fresh = open(&self.target)?;
        self.order(Order::Reopened(fresh));
        Ok(())
    }

    /// Hands one line over. Never waits: a line that finds thousands before it is said to be lost.
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
        self.order(Order::Line(text));
    }

    fn order(&self, order: Order) {
        let sent = self.orders.as_ref().map(|orders| orders.try_send(order));
        if !matches!(sent, Some(Ok(()))) {
            tracing::error!("an audit line was lost: the audit log takes no more");
        }
    }
}

impl Drop for Audit {
    fn drop(&mut self) {
        // The thread ends when nobody can order any more.
        drop(self.orders.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!("the audit thread panicked");
        }
    }
}

fn write_all(mut output: Output, orders: &Receiver<Order>) {
    for order in orders {
        match order {
            Order::Reopened(fresh) => output = fresh,
            Order::Line(text) => {
                if let Err(error) = output.write_all(&text) {
                    tracing::error!(%error, "an audit line was lost");
                }
            }
        }
    }
}

fn open(target: &AuditTarget) -> io::Result<Output> {
    match target {
        AuditTarget::Stderr => Ok(Box::new(io::stderr())),
        AuditTarget::File(path) => Ok(Box::new(append(path)?)),
    }
}

/// A file that is made here is for its group too, whatever the umask says: those who
/// read logs are often in it.
fn append(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).mode(MODE);
    match options.clone().create_new(true).open(path) {
        Ok(file) => {
            file.set_permissions(Permissions::from_mode(MODE))?;
            Ok(file)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            options.create(true).open(path)
        }
        Err(error) => Err(error),
    }
}

const MODE: u32 = 0o640;

/// Lines that may wait for the disk.
const WAITING: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_handed_over_is_written_before_the_audit_log_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let audit = Audit::open(AuditTarget::File(path.clone())).unwrap();
        for _ in 0..100 {
            audit.write(&Line::new(Happening::SignOn, Verdict::Granted));
        }
        drop(audit);
        let text = std::fs::read_to_string(path).unwrap();
        assert_eq!(text.lines().count(), 100);
        assert!(text.lines().all(|line| line.contains(r#""event":"sign_on","outcome":"granted""#)));
    }

    #[test]
    fn after_a_rotation_lines_go_to_the_new_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit");
        let audit = Audit::open(AuditTarget::File(path.clone())).unwrap();
        audit.write(&Line::new(Happening::SignOn, Verdict::Granted));
        std::fs::rename(&path, folder.path().join("audit.1")).unwrap();
        audit.reopen().unwrap();
        audit.write(&Line::new(Happening::SessionEnd, Verdict::Granted));
        drop(audit);
        let lines = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
        assert!(lines("audit").contains("session_end"));
    }
}

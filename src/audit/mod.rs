//! The audit log: one JSON object a line for each sign-on, refusal and end of a session.

use std::borrow::Borrow;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Serialize, Serializer};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::clock::{self, Timestamp};
use crate::config::section::AuditTarget;
use crate::legible::{bounded, legible_json};
use crate::process::seldom::Seldom;
use crate::wire::{Ending, KeyFile, Mechanism, Reason};

mod output;
mod writer;

use output::Output;
use writer::{Order, State, Writer};

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Happening {
    /// Somebody was signed on and given a session.
    SignOn,
    /// Somebody who is signed on may not use a site.
    Access,
    SessionEnd,
    /// A peer asked the core for something.
    Peer,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Granted,
    Refused,
}

/// One line of the audit log. What is not known is left out.
#[derive(Debug, Serialize)]
pub(crate) struct Line<'a> {
    pub event: Happening,
    pub outcome: Verdict,
    /// Why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why a session ended. The log has one field `reason`, so never beside that one.
    #[serde(rename = "reason", skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ending>,
    /// More words on the reason, never a secret.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "story")]
    pub detail: Option<&'a str>,
    /// By what the identity was proven.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mechanism: Option<Mechanism>,
    /// The principal as proven.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub principal: Option<&'a str>,
    /// The login name it became.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub login: Option<&'a str>,
    /// Whether the proof was bound to the TLS channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel_bound: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<IpAddr>,
    /// The peer of the core that asked, such as `uid 33` or `key webapp-public.pem from 192.0.2.1`.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub peer: Option<&'a str>,
    /// A file in `sslkeys_path`: of the key that signed on by certificate, otherwise
    /// of that peer's own.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub key: Option<&'a KeyFile>,
    /// The administrator who acts as the one it is about.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub impersonator: Option<&'a str>,
    /// The site that was asked for.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub site: Option<&'a str>,
    /// The first eight hex digits of the SHA-256 of the session's secret.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub session: Option<&'a str>,
    /// The number on the page that the person sees.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "name")]
    pub reference: Option<&'a str>,
}

impl Line<'_> {
    /// A line with nothing known but what happened.
    pub(crate) const fn new(event: Happening, outcome: Verdict) -> Self {
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

fn name<T, S>(text: &Option<&T>, serializer: S) -> Result<S::Ok, S::Error>
where
    T: Borrow<str> + ?Sized,
    S: Serializer,
{
    serializer.serialize_str(&bounded(text.map_or("", Borrow::borrow), LONGEST_NAME))
}

fn story<S: Serializer>(text: &Option<&str>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&bounded(text.unwrap_or_default(), LONGEST_STORY))
}

/// Where audit lines go. A thread of its own writes them, so that a slow disk
/// or a full pipe never holds up a sign-on that need not wait for its line; what
/// was handed over is written before this is dropped.
#[derive(Debug)]
pub(crate) struct Audit {
    target: AuditTarget,
    required: bool,
    state: Arc<State>,
    orders: Option<SyncSender<Order>>,
    writer: Option<JoinHandle<()>>,
}

/// A line that was handed over.
#[derive(Debug)]
#[must_use]
pub(crate) struct Handed(Option<oneshot::Receiver<bool>>);

impl Handed {
    /// Whether it is where it has to be: on the disk, under `audit_required`;
    /// otherwise nobody waits for that.
    pub(crate) async fn written_as_required(self) -> bool {
        match self.0 {
            None => true,
            Some(written) => matches!(timeout(PATIENCE, written).await, Ok(Ok(true))),
        }
    }
}

impl Audit {
    /// Opens the target, and starts the thread. `required`: whoever hands a line
    /// over can wait until it is on the disk.
    ///
    /// # Errors
    /// The file cannot be opened for appending, or there is no thread to be had.
    pub(crate) fn open(target: AuditTarget, required: bool) -> io::Result<Self> {
        let output = Output::open(&target)?;
        let state = Arc::new(State::default());
        let (orders, taken) = sync_channel(WAITING);
        let mut writer = Writer::new(output, required, Arc::clone(&state));
        let writer =
            thread::Builder::new().name("audit".to_owned()).spawn(move || writer.run(&taken))?;
        Ok(Self { target, required, state, orders: Some(orders), writer: Some(writer) })
    }

    /// Opens the file again, after it was rotated.
    ///
    /// # Errors
    /// The file cannot be opened; lines go on to the old one.
    pub(crate) fn reopen(&self) -> io::Result<()> {
        let fresh = Output::open(&self.target)?;
        self.order(Order::Reopened(fresh));
        Ok(())
    }

    /// Whether lines can be written.
    ///
    /// # Errors
    /// They are lost at this moment, and why.
    pub(crate) fn ready(&self) -> Result<(), String> {
        match self.state.fault() {
            None => Ok(()),
            Some(fault) => {
                Err(format!("the audit log cannot be written, and lines are lost: {fault}"))
            }
        }
    }

    /// Whether nobody is to be signed on at this moment: lines are lost, and required.
    pub(crate) fn forbids_sign_ons(&self) -> bool {
        self.required && self.state.fault().is_some()
    }

    /// Hands one line over. Never waits: a line that finds thousands before it is said to be lost.
    pub(crate) fn write(&self, line: &Line<'_>) {
        if let Some(text) = text(line) {
            self.order(Order::Line { text, written: None });
        }
    }

    /// Hands over a line without which there must not be what it tells of.
    pub(crate) fn hand_over(&self, line: &Line<'_>) -> Handed {
        if !self.required {
            self.write(line);
            return Handed(None);
        }
        let (written, waiting) = oneshot::channel();
        if let Some(text) = text(line) {
            self.order(Order::Line { text, written: Some(written) });
        }
        Handed(Some(waiting))
    }

    fn order(&self, order: Order) {
        let sent = self.orders.as_ref().map(|orders| orders.try_send(order));
        if !matches!(sent, Some(Ok(()))) {
            self.state.lose(1);
            if let Some(more) = LOST.due("full", clock::instant()) {
                tracing::error!(more, "an audit line was lost: the audit log accepts no more");
            }
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

fn text(line: &Line<'_>) -> Option<Vec<u8>> {
    #[derive(Serialize)]
    struct Stamped<'a> {
        time: Timestamp,
        target: &'static str,
        #[serde(flatten)]
        line: &'a Line<'a>,
    }
    let stamped = Stamped { time: clock::now(), target: "audit", line };
    let Ok(text) = serde_json::to_string(&stamped) else {
        tracing::error!("an audit line could not be written as JSON");
        return None;
    };
    let mut text = legible_json(text).into_bytes();
    text.push(b'\n');
    Some(text)
}

static LOST: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

/// Bytes of a name in a line,
const LONGEST_NAME: usize = 512;
/// and of what is told of a reason.
const LONGEST_STORY: usize = 2048;
/// Lines that may wait for the disk.
const WAITING: usize = 16_384;
/// How long anybody waits for the disk.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests;

//! The thread that writes audit lines, all that wait in one write. When the disk is full it keeps
//! trying, and reports afterwards how many lines are missing.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::sync::oneshot;

use super::output::Output;
use crate::clock;

/// What the thread is to do.
#[derive(Debug)]
pub(super) enum Order {
    /// Write this line; say whether it is written, where somebody waits for that.
    Line { text: Vec<u8>, written: Option<oneshot::Sender<bool>> },
    /// Go on with this output.
    Reopened(Output),
}

/// How it goes, for everybody who asks.
#[derive(Debug, Default)]
pub(super) struct State {
    fault: Mutex<Option<String>>,
    /// Lines that are missing, and of which nothing is in the log yet.
    lost: AtomicU64,
}

impl State {
    pub(super) fn fault(&self) -> Option<String> {
        self.fault.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn lose(&self, lines: usize) {
        self.lost.fetch_add(lines as u64, Ordering::Relaxed);
    }

    fn set_fault(&self, fault: Option<String>) -> Option<String> {
        std::mem::replace(&mut *self.fault.lock().unwrap_or_else(PoisonError::into_inner), fault)
    }
}

#[derive(Debug)]
pub(super) struct Writer {
    output: Output,
    durable: bool,
    state: Arc<State>,
    /// Lines that are written together, and who waits for each.
    lines: Vec<u8>,
    waiting: Vec<(usize, Option<oneshot::Sender<bool>>)>,
}

impl Writer {
    pub(super) fn new(output: Output, durable: bool, state: Arc<State>) -> Self {
        Self { output, durable, state, lines: Vec::new(), waiting: Vec::new() }
    }

    /// Until nobody can order any more.
    pub(super) fn run(&mut self, orders: &Receiver<Order>) {
        loop {
            let first = match self.state.fault() {
                None => orders.recv().map_err(RecvTimeoutError::from),
                Some(_) => orders.recv_timeout(RETRY),
            };
            match first {
                Ok(order) => {
                    self.take(order);
                    for order in orders.try_iter().take(TOGETHER) {
                        self.take(order);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            self.flush();
        }
    }

    fn take(&mut self, order: Order) {
        match order {
            Order::Line { text, written } => {
                self.lines.extend_from_slice(&text);
                self.waiting.push((self.lines.len(), written));
            }
            Order::Reopened(output) => {
                self.flush();
                self.output = output;
            }
        }
    }

    /// Writes what was taken.
    fn flush(&mut self) {
        let recovered = self.tell_losses();
        let (done, outcome) = match recovered {
            Ok(()) => self.output.write(&self.lines, self.durable),
            Err(error) => (0, Err(error)),
        };
        let lost = self.waiting.iter().filter(|(end, _)| *end > done).count();
        self.state.lose(lost);
        match outcome {
            Ok(()) => drop(self.state.set_fault(None)),
            Err(error) => {
                if self.state.set_fault(Some(error.to_string())).is_none() {
                    tracing::error!(%error, "the audit log cannot be written: lines are lost until it can");
                }
            }
        }
        // Whoever hears of it finds the state as it is.
        for (end, written) in self.waiting.drain(..) {
            if let Some(written) = written {
                let _ = written.send(end <= done);
            }
        }
        self.lines.clear();
    }

    /// Says in the log itself how many lines are missing before this place.
    fn tell_losses(&mut self) -> std::io::Result<()> {
        let lost = self.state.lost.load(Ordering::Relaxed);
        if lost == 0 {
            return Ok(());
        }
        let fault = self.state.fault().unwrap_or_else(|| "too many lines waited".to_owned());
        let line = json!({
            "time": clock::now(),
            "target": "audit",
            "event": "lines_lost",
            "lost": lost,
            "detail": fault,
        });
        let (_, told) = self.output.write(format!("{line}\n").as_bytes(), self.durable);
        told?;
        self.state.lost.fetch_sub(lost, Ordering::Relaxed);
        tracing::warn!(lost, "the audit log can be written again; lines were lost before");
        Ok(())
    }
}

/// Lines that are written together at most.
const TOGETHER: usize = 256;
/// How often it is tried again where nobody orders anything.
const RETRY: Duration = Duration::from_secs(1);

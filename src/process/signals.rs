//! SIGTERM and SIGINT stop, SIGHUP and `doorward reload` reload.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

use super::control::{Asker, Control};

/// What the process was asked to do.
#[derive(Debug)]
pub(crate) enum Asked {
    /// Stop, finishing what is open.
    Stop,
    /// Read the configuration again, and tell whoever waits for it.
    Reload(Option<Asker>),
}

/// The signals of the process, from now on.
#[derive(Debug)]
pub(crate) struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    control: Control,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    /// The system refuses a signal handler.
    pub(crate) fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            control: Control::listen(),
        })
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) -> Asked {
        tokio::select! {
            _ = self.terminate.recv() => Asked::Stop,
            _ = self.interrupt.recv() => Asked::Stop,
            _ = self.hangup.recv() => Asked::Reload(None),
            asker = self.control.next() => Asked::Reload(Some(asker)),
        }
    }
}

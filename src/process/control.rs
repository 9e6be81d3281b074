//! `doorward reload`: asks a running process to read its configuration again, and gets the result.
//! A signal (SIGHUP) asks the same, but has no result.
//!
//! A client that connects to the socket in the abstract namespace (unix(7)) with the process id in
//! its name asks for a reload, and gets one line of JSON. There is no file that could be left
//! behind, and the kernel tells each side who the other is.

use std::io::{self, Read};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener, UnixStream as StdStream};
use std::time::Duration;

use nix::sys::socket::{getsockopt, sockopt};
use nix::unistd::geteuid;
use serde::{Deserialize, Serialize};
use tokio::io::AsyncWriteExt;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::timeout;

/// What came of a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outcome {
    /// Why the old settings stay; `None`: the new ones hold.
    pub failed: Option<String>,
    /// Whether that is the fault of the configuration.
    pub configuration: bool,
    /// What the administrator should know besides.
    pub warnings: Vec<String>,
}

/// Where a process can be asked.
#[derive(Debug)]
pub(crate) struct Control(Option<UnixListener>);

/// Somebody who asked, and waits for the outcome.
#[derive(Debug)]
pub(crate) struct Asker(UnixStream);

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AskError {
    /// Nobody listens, or somebody else.
    #[error(
        "process {0} is not a running doorward ({1}); give the process id of `doorward serve`, `front` or `core`, in the same network namespace"
    )]
    Nobody(u32, String),
    /// It hung up, or went silent.
    #[error(
        "process {0} does not report the result of the reload ({1}); look at its log, and run this as its own user or as root"
    )]
    Silent(u32, String),
}

impl Control {
    /// Begins to listen. Where that cannot be had, SIGHUP is still heard.
    pub(crate) fn listen() -> Self {
        let listening = address(std::process::id()).and_then(|name| {
            let listener = StdListener::bind_addr(&name)?;
            listener.set_nonblocking(true)?;
            UnixListener::from_std(listener)
        });
        if let Err(error) = &listening {
            tracing::warn!(%error, "`doorward reload` does not work; use SIGHUP");
        }
        Self(listening.ok())
    }

    /// Waits for the next who asks: this process's own user, or root.
    pub(crate) async fn next(&self) -> Asker {
        let Some(listener) = &self.0 else { return std::future::pending().await };
        loop {
            match listener.accept().await {
                Ok((stream, _)) if may_ask(&stream) => return Asker(stream),
                Ok(_) => tracing::warn!("another user asked for a reload: refused"),
                Err(error) => {
                    tracing::warn!(%error, "`doorward reload` could not be received");
                    crate::clock::pause(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

impl Asker {
    /// Tells the outcome. Whoever has gone, or does not read, is not waited for.
    pub(crate) async fn answer(mut self, outcome: &Outcome) {
        let line = serde_json::to_vec(outcome).unwrap_or_default();
        let told = timeout(ANSWER_LIMIT, async {
            self.0.write_all(&line).await?;
            self.0.shutdown().await
        });
        if !matches!(told.await, Ok(Ok(()))) {
            tracing::debug!("the result of the reload could not be sent to the caller");
        }
    }
}

/// Asks a process for a reload, and waits until it is done.
///
/// # Errors
/// There is no such process, or no answer.
pub(crate) fn ask(pid: u32) -> Result<Outcome, AskError> {
    let nobody = |error: io::Error| AskError::Nobody(pid, error.to_string());
    let mut stream =
        address(pid).and_then(|name| StdStream::connect_addr(&name)).map_err(nobody)?;
    let peer = getsockopt(&stream, sockopt::PeerCredentials).map_err(|e| nobody(e.into()))?;
    if u32::try_from(peer.pid()) != Ok(pid) {
        return Err(AskError::Nobody(pid, "another process listens there".to_owned()));
    }
    let silent = |error: String| AskError::Silent(pid, error);
    stream.set_read_timeout(Some(RELOAD_LIMIT)).map_err(|error| silent(error.to_string()))?;
    let mut line = Vec::new();
    stream.read_to_end(&mut line).map_err(|error| silent(error.to_string()))?;
    if line.is_empty() {
        return Err(silent("it hung up".to_owned()));
    }
    serde_json::from_slice(&line).map_err(|error| silent(error.to_string()))
}

fn may_ask(stream: &UnixStream) -> bool {
    stream.peer_cred().is_ok_and(|peer| peer.uid() == 0 || peer.uid() == geteuid().as_raw())
}

fn address(pid: u32) -> io::Result<SocketAddr> {
    SocketAddr::from_abstract_name(format!("doorward/{pid}/reload"))
}

/// Certificates, keys and helpers are looked at; systemd waits for 90 seconds.
const RELOAD_LIMIT: Duration = Duration::from_secs(60);
const ANSWER_LIMIT: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn who_asks_hears_what_came_of_it() {
        let control = Control::listen();
        let asking = tokio::task::spawn_blocking(|| ask(std::process::id()));
        let outcome = Outcome {
            failed: Some("no".to_owned()),
            configuration: true,
            warnings: vec!["a\nb".to_owned()],
        };
        control.next().await.answer(&outcome).await;
        assert_eq!(asking.await.unwrap().unwrap(), outcome);
        assert!(matches!(ask(1), Err(AskError::Nobody(1, _))));
    }
}

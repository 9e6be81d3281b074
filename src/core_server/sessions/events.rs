//! Tells fronts at once which sessions have ended, as server-sent events.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::wire::{Event, SessionKey};

/// The ended sessions, for everybody who listens.
#[derive(Debug)]
pub(in crate::core_server) struct Events {
    ended: broadcast::Sender<SessionKey>,
}

impl Events {
    pub(in crate::core_server) fn new() -> Self {
        Self { ended: broadcast::Sender::new(BACKLOG) }
    }

    /// Tells all listeners that a session has ended.
    pub(in crate::core_server) fn session_ended(&self, key: SessionKey) {
        // Nobody listens: nobody remembers the session either.
        let _ = self.ended.send(key);
    }

    /// A new listener's stream: what ends from now on is in it. It ends when
    /// `stop` says so, or when nobody reads it for long; with it ends `stop`.
    pub(in crate::core_server) fn stream(&self, stop: CancellationToken) -> EventBody {
        let (chunks, body) = mpsc::channel(1);
        tokio::spawn(tell(self.ended.subscribe(), chunks, stop.clone()));
        EventBody { chunks: body, _open: stop.drop_guard() }
    }
}

/// The body of the answer to `GET /v1/events`.
#[derive(Debug)]
pub(in crate::core_server) struct EventBody {
    chunks: mpsc::Receiver<Bytes>,
    _open: DropGuard,
}

impl Body for EventBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        self.chunks.poll_recv(context).map(|chunk| chunk.map(|chunk| Ok(Frame::data(chunk))))
    }
}

async fn tell(
    mut ended: broadcast::Receiver<SessionKey>,
    chunks: mpsc::Sender<Bytes>,
    stop: CancellationToken,
) {
    let mut chunk = String::new();
    write(&mut chunk, &Event::Hello);
    let mut keep_alive = interval(KEEP_ALIVE);
    keep_alive.set_missed_tick_behavior(MissedTickBehavior::Delay);
    keep_alive.reset();
    loop {
        let bytes = Bytes::from(std::mem::take(&mut chunk));
        if !matches!(timeout(PATIENCE, chunks.send(bytes)).await, Ok(Ok(()))) {
            return;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = chunks.closed() => return,
            _ = keep_alive.tick() => chunk.push_str(":\n\n"),
            next = ended.recv() => match next {
                Ok(key) => {
                    write(&mut chunk, &Event::SessionEnded { id: key });
                    drain(&mut ended, &mut chunk);
                }
                // Too slow: some were missed, which is what Hello says.
                Err(RecvError::Lagged(_)) => write(&mut chunk, &Event::Hello),
                Err(RecvError::Closed) => return,
            },
        }
    }
}

/// What else has ended meanwhile travels in the same chunk.
fn drain(ended: &mut broadcast::Receiver<SessionKey>, chunk: &mut String) {
    while chunk.len() < CHUNK {
        match ended.try_recv() {
            Ok(key) => write(chunk, &Event::SessionEnded { id: key }),
            Err(TryRecvError::Lagged(_)) => write(chunk, &Event::Hello),
            Err(TryRecvError::Empty | TryRecvError::Closed) => return,
        }
    }
}

fn write(chunk: &mut String, event: &Event) {
    // An event is two words at most, and always JSON.
    if let Ok(json) = serde_json::to_string(event) {
        chunk.push_str("event: session\ndata: ");
        chunk.push_str(&json);
        chunk.push_str("\n\n");
    }
}

/// Ended sessions that a slow listener may be behind before it is told that it missed some.
const BACKLOG: usize = 16_384;
const CHUNK: usize = 32 << 10;
/// A comment line, so that a listener notices a dead core.
const KEEP_ALIVE: Duration = Duration::from_secs(5);
/// A listener that takes nothing for so long is dead.
const PATIENCE: Duration = Duration::from_secs(30);

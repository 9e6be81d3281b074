//! The streams of one HTTP/2 connection. A client may open the window of each as slowly as it
//! likes, and TCP does not show this. So every part of an answer is tracked until it is sent, and
//! a stream whose client reads nothing is reset.

use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use hyper::rt::Executor;
use tokio::task::AbortHandle;

use crate::clock;
use crate::front::connection::activity::{Activity, OpenRequest};

tokio::task_local! {
    static CURRENT: Arc<Stream>;
}

/// One request and its answer.
#[derive(Debug)]
pub(in crate::front) struct Stream {
    pub(in crate::front) request: OpenRequest,
    /// Parts given to be sent, and those that were.
    given: AtomicUsize,
    sent: AtomicUsize,
}

impl Stream {
    /// The stream in whose task this is called.
    pub(in crate::front) fn current() -> Option<Arc<Self>> {
        CURRENT.try_with(Arc::clone).ok()
    }

    /// Follows a part of the answer until it is sent, or forgotten with its stream.
    pub(in crate::front) fn send(self: &Arc<Self>, bytes: Bytes) -> Bytes {
        if bytes.is_empty() {
            return bytes;
        }
        self.given.fetch_add(1, Ordering::Relaxed);
        Bytes::from_owner(Part { bytes, stream: Arc::clone(self) })
    }

    fn parts_sent(&self) -> usize {
        self.sent.load(Ordering::Relaxed)
    }

    fn waits_for_its_client(&self) -> bool {
        self.given.load(Ordering::Relaxed) != self.parts_sent()
    }
}

/// A part of an answer that was not sent yet.
struct Part {
    bytes: Bytes,
    stream: Arc<Stream>,
}

impl AsRef<[u8]> for Part {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        self.stream.sent.fetch_add(1, Ordering::Relaxed);
        self.stream.request.touch();
    }
}

/// All open streams of a connection. hyper gives it each stream's task.
#[derive(Clone, Debug)]
pub(in crate::front) struct Streams {
    activity: Arc<Activity>,
    open: Arc<Mutex<Open>>,
}

#[derive(Debug, Default)]
struct Open {
    streams: Vec<Watched>,
    /// So many may stand there before the ended ones are taken out.
    room: usize,
    /// One has ended since it was last looked at them.
    ended: bool,
}

impl Open {
    fn forget_ended(&mut self) {
        let before = self.streams.len();
        self.streams.retain(|watched| !watched.is_over());
        self.ended |= self.streams.len() < before;
    }
}

#[derive(Debug)]
struct Watched {
    /// Alive as long as its task, or a part that is to be sent.
    stream: Weak<Stream>,
    task: AbortHandle,
    /// Parts sent when it was looked at and waited for its client.
    seen: Option<usize>,
}

impl Watched {
    fn is_over(&self) -> bool {
        self.stream.strong_count() == 0
    }
}

impl<F> Executor<F> for Streams
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, future: F) {
        let request = OpenRequest::new(&self.activity);
        let stream =
            Arc::new(Stream { request, given: AtomicUsize::new(0), sent: AtomicUsize::new(0) });
        let watched = Arc::downgrade(&stream);
        let task = tokio::spawn(CURRENT.scope(stream, async {
            future.await;
        }));
        let mut open = self.open();
        if open.streams.len() >= open.room {
            open.forget_ended();
            open.room = 2 * open.streams.len() + 64;
        }
        open.streams.push(Watched { stream: watched, task: task.abort_handle(), seen: None });
    }
}

impl Streams {
    /// The streams of a connection that has none yet.
    pub(in crate::front) fn new(activity: &Arc<Activity>) -> Self {
        Self { activity: Arc::clone(activity), open: Arc::default() }
    }

    /// Resets every stream whose client took no part of its answer for a whole
    /// `limit`. Ends when the connection has to: nothing moves on any of its
    /// streams, or one cannot be reset any more.
    pub(in crate::front) async fn wait_until_stalled(&self, limit: Duration) {
        loop {
            clock::pause(limit).await;
            if self.reset_stalled() {
                return;
            }
        }
    }

    /// True when the connection has to end.
    fn reset_stalled(&self) -> bool {
        let mut open = self.open();
        open.forget_ended();
        // A stream that came and went between two looks has moved as well.
        let (mut stalled, mut moving) = (Vec::new(), std::mem::take(&mut open.ended));
        for watched in &mut open.streams {
            let Some(stream) = watched.stream.upgrade() else { continue };
            let now = stream.waits_for_its_client().then(|| stream.parts_sent());
            if now.is_some() && now == watched.seen {
                stalled.push(watched.task.clone());
            } else {
                moving = true;
            }
            watched.seen = now;
        }
        drop(open);
        if stalled.is_empty() {
            return false;
        }
        // A stream whose task is over has given its last part to the connection.
        if !moving || stalled.iter().any(AbortHandle::is_finished) {
            return true;
        }
        tracing::info!(streams = stalled.len(), "a client stopped reading some of its answers");
        for task in stalled {
            task.abort();
        }
        false
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

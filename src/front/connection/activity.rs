//! What a connection is doing: how many requests are open on it, whose turn it is, and when
//! something last moved. Counted while requests are served, read by the limits on idle and stalled
//! connections and by [`crate::front::connection::places`].

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::clock;

/// The counters of one connection.
#[derive(Debug)]
pub(in crate::front) struct Activity {
    began: Instant,
    /// Milliseconds after `began`.
    moved: AtomicU64,
    open: AtomicUsize,
    begun: AtomicUsize,
    /// Open requests for which the gateway or the application owes the next step.
    ours: AtomicUsize,
    tunnel: AtomicBool,
    /// Of the last request.
    body: Mutex<Announced>,
    leave: CancellationToken,
}

/// The body of a request.
#[derive(Debug)]
struct Announced {
    length: Option<u64>,
    is_read: Option<Arc<AtomicBool>>,
}

impl Activity {
    /// A connection that has just come.
    pub(in crate::front) fn new() -> Self {
        Self {
            began: clock::instant(),
            moved: AtomicU64::new(0),
            open: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            ours: AtomicUsize::new(0),
            tunnel: AtomicBool::new(false),
            body: Mutex::new(Announced { length: Some(0), is_read: None }),
            leave: CancellationToken::new(),
        }
    }

    /// Requests begun so far, for telling whether one came in between.
    pub(in crate::front) fn begun(&self) -> usize {
        self.begun.load(Ordering::Relaxed)
    }

    /// Whether a request is open: its answer has not reached its end.
    pub(in crate::front) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// From now on the connection is a tunnel, whose limits are its own.
    pub(in crate::front) fn becomes_tunnel(&self) {
        self.tunnel.store(true, Ordering::Relaxed);
    }

    /// Whether it is a tunnel.
    pub(in crate::front) fn is_tunnel(&self) -> bool {
        self.tunnel.load(Ordering::Relaxed)
    }

    /// A request with this body has begun. `is_read` becomes true at the body's end;
    /// `None`: it is empty.
    pub(in crate::front) fn body_begins(
        &self,
        length: Option<u64>,
        is_read: Option<Arc<AtomicBool>>,
    ) {
        *self.body.lock().unwrap_or_else(PoisonError::into_inner) = Announced { length, is_read };
    }

    /// The length of the last request's body, `None` where its head did not tell it.
    /// `None` altogether: the body has not been read to its end.
    pub(in crate::front) fn last_body(&self) -> Option<Option<u64>> {
        let body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let is_read = body.is_read.as_ref().is_none_or(|read| read.load(Ordering::Relaxed));
        is_read.then_some(body.length)
    }

    /// Asks the connection to end.
    pub(in crate::front) fn end(&self) {
        self.leave.cancel();
    }

    /// Ends when the connection was asked to end.
    pub(in crate::front) async fn asked_to_end(&self) {
        self.leave.cancelled().await;
    }

    /// Something moved.
    pub(in crate::front) fn touch(&self) {
        let since = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.moved.store(since, Ordering::Relaxed);
    }

    /// How long nothing has moved, where the connection may be ended for a
    /// newcomer: no request is open, or the client has not taken what it was
    /// sent for [`STILL`]. `None`: it is at work.
    pub(in crate::front) fn idle_for(&self) -> Option<Duration> {
        if self.is_tunnel() || self.ours.load(Ordering::Relaxed) > 0 {
            return None;
        }
        let moved = Duration::from_millis(self.moved.load(Ordering::Relaxed));
        let idle = self.began.elapsed().saturating_sub(moved);
        (!self.is_open() || idle >= STILL).then_some(idle)
    }
}

/// One request, from its head to the end of its answer.
#[derive(Debug)]
pub(in crate::front) struct OpenRequest {
    activity: Arc<Activity>,
    ours: AtomicBool,
}

impl OpenRequest {
    /// A request has arrived: the next step is ours.
    pub(in crate::front) fn new(activity: &Arc<Activity>) -> Self {
        activity.begun.fetch_add(1, Ordering::Relaxed);
        activity.ours.fetch_add(1, Ordering::Relaxed);
        if activity.open.fetch_add(1, Ordering::Relaxed) == 0 {
            // Asking for more while nothing is taken is no movement.
            activity.touch();
        }
        Self { activity: Arc::clone(activity), ours: AtomicBool::new(true) }
    }

    /// The client is to take what it was given.
    pub(in crate::front) fn clients_turn(&self) {
        if self.ours.swap(false, Ordering::Relaxed) {
            self.activity.ours.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// The client waits for more.
    pub(in crate::front) fn our_turn(&self) {
        if !self.ours.swap(true, Ordering::Relaxed) {
            self.activity.ours.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The client has taken something.
    pub(in crate::front) fn touch(&self) {
        self.activity.touch();
    }
}

impl Drop for OpenRequest {
    fn drop(&mut self) {
        self.clients_turn();
        self.activity.open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A client that has taken nothing of its answer for so long makes room for a newcomer.
const STILL: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_is_idle_only_when_the_next_step_is_the_client_s() {
        let activity = Arc::new(Activity::new());
        assert!(activity.idle_for().is_some(), "nothing was asked yet");
        let request = OpenRequest::new(&activity);
        assert_eq!(activity.idle_for(), None, "the answer is owed");
        request.clients_turn();
        assert_eq!(activity.idle_for(), None, "it may take its answer at this moment");
        request.our_turn();
        drop(request);
        assert!(activity.idle_for().is_some() && !activity.is_open());
        activity.becomes_tunnel();
        assert_eq!(activity.idle_for(), None);
    }
}

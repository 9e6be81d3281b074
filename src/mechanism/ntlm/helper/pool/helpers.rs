//! All helpers of a pool, and which exchange has which.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::queue::{Queue, Taken, Ticket};
use super::reservation_timeout::ReservationTimeout;
use crate::clock;
use crate::config::section::Ntlm;
use crate::mechanism::ntlm::helper::failure::Failure;
use crate::mechanism::ntlm::helper::metrics::{HelperCounts, NtlmMetrics};
use crate::mechanism::ntlm::helper::process::Process;

/// A helper at hand. Dropping it ends the helper, and its supervisor starts another:
/// whoever gives up in the middle of a dialogue leaves no answer to be read by
/// the next. [`Helpers::put`] keeps it.
#[derive(Debug)]
pub(in crate::mechanism::ntlm::helper) struct Helper {
    /// Which one.
    pub(in crate::mechanism::ntlm::helper) id: u64,
    /// Its pipes.
    pub(in crate::mechanism::ntlm::helper) process: Process,
    /// Whether it has answered well.
    pub(in crate::mechanism::ntlm::helper) proven: bool,
    /// Tells its supervisor whether it had, when it is dropped.
    pub(in crate::mechanism::ntlm::helper) gone: Option<oneshot::Sender<bool>>,
}

impl Drop for Helper {
    fn drop(&mut self) {
        if let Some(gone) = self.gone.take() {
            // A supervisor that has gone needs no telling.
            let _ = gone.send(self.proven);
        }
    }
}

/// A helper that is kept for an exchange. Dropping it ends the exchange.
#[derive(Debug)]
pub(crate) struct Reservation {
    helpers: Arc<Helpers>,
    ticket: Ticket,
    /// When the client was challenged.
    since: Instant,
}

/// The helpers of a pool.
#[derive(Debug)]
pub(in crate::mechanism::ntlm::helper) struct Helpers {
    metrics: Arc<NtlmMetrics>,
    wanted: usize,
    /// One waits no longer than a helper may take.
    longest_wait: Duration,
    exchange_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    queue: Queue<Helper>,
    reservation_timeout: ReservationTimeout,
    /// Helpers that run, wherever they are.
    present: usize,
    /// Whether the pool is gone, and only exchanges that it began know of this.
    closed: bool,
    /// What the metrics say of this pool.
    shown: HelperCounts,
}

impl Helpers {
    /// No helpers yet.
    pub(in crate::mechanism::ntlm::helper) fn new(
        settings: &Ntlm,
        metrics: Arc<NtlmMetrics>,
    ) -> Self {
        let state = State {
            queue: Queue::new(settings.queue),
            reservation_timeout: ReservationTimeout::new(),
            present: 0,
            closed: false,
            shown: HelperCounts::default(),
        };
        let helpers = Self {
            metrics,
            wanted: settings.helpers,
            longest_wait: settings.helper_timeout,
            exchange_timeout: settings.exchange_timeout,
            state: Mutex::new(state),
        };
        helpers.with(|_| ());
        helpers
    }

    /// A helper, as soon as there is one.
    pub(in crate::mechanism::ntlm::helper) async fn take(&self) -> Result<Helper, Failure> {
        let begun = clock::instant();
        let mut coming = match self.with(|state| state.take(begun)) {
            Taken::Helper(helper) => return Ok(helper),
            Taken::Full => return Err(Failure::Busy("the queue before them is full")),
            Taken::Wait(coming) => coming,
        };
        loop {
            let now = clock::instant();
            let left = (begun + self.longest_wait).saturating_duration_since(now);
            let overdue = self.with(|state| {
                state.queue.settle(now, state.reservation_timeout.limit());
                state.queue.next_overdue(now, state.reservation_timeout.limit())
            });
            // A reservation that is made meanwhile is looked at soon enough.
            let look_again = overdue.unwrap_or(LOOK_AGAIN).clamp(SOONEST, LOOK_AGAIN);
            match timeout(look_again.min(left), &mut coming).await {
                Ok(Ok(helper)) => return Ok(helper),
                Ok(Err(_)) => return Err(Failure::Busy("the pool is closing")),
                Err(_) if left.is_zero() => {
                    coming.close();
                    return coming
                        .try_recv()
                        .map_err(|_| Failure::Busy("none became free in time"));
                }
                Err(_) => {}
            }
        }
    }

    /// A helper that has nothing to do, if there is one.
    pub(in crate::mechanism::ntlm::helper) fn take_idle(&self) -> Option<Helper> {
        self.with(|state| state.queue.take_idle())
    }

    /// Gives a helper back that answered well.
    pub(in crate::mechanism::ntlm::helper) fn put(&self, mut helper: Helper) {
        helper.proven = true;
        self.with(|state| state.queue.put(helper));
    }

    /// Keeps a helper for one exchange, which it has begun.
    pub(in crate::mechanism::ntlm::helper) fn reserve(
        self: &Arc<Self>,
        mut helper: Helper,
    ) -> Reservation {
        helper.proven = true;
        let since = clock::instant();
        let ticket = self.with(|state| state.queue.reserve(helper, since));
        Reservation { helpers: Arc::clone(self), ticket, since }
    }

    /// A helper was started.
    pub(in crate::mechanism::ntlm::helper) fn arrive(&self, helper: Helper) {
        self.with(|state| {
            state.present += 1;
            state.queue.put(helper);
        });
    }

    /// A helper ended.
    pub(in crate::mechanism::ntlm::helper) fn leave(&self, id: u64) {
        self.metrics.restarts.inc();
        self.with(|state| {
            state.present = state.present.saturating_sub(1);
            state.queue.forget(|helper| helper.id == id);
        });
    }

    /// Ends every reservation: the pool is gone, and its helpers with it.
    pub(in crate::mechanism::ntlm::helper) fn close(&self) {
        self.with(|state| {
            state.queue = Queue::new(0);
            state.closed = true;
        });
    }

    /// Whether any helper runs.
    pub(in crate::mechanism::ntlm::helper) fn anybody(&self) -> bool {
        self.with(|state| state.present > 0)
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let outcome = change(&mut state);
        let counts = state.queue.counts();
        let figures = if state.closed {
            HelperCounts::default()
        } else {
            HelperCounts {
                idle: counts.idle,
                reserved: counts.reserved,
                busy: state.present.saturating_sub(counts.idle + counts.reserved),
                starting: self.wanted.saturating_sub(state.present),
                waiting: counts.waiting,
            }
        };
        self.metrics.changed(state.shown, figures);
        state.shown = figures;
        outcome
    }

    /// No code that can panic runs under this lock, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// The helper, unless the exchange was given up; and those to whom it is given
    /// back: after a reload they are another pool's.
    pub(in crate::mechanism::ntlm::helper) fn claim(&self) -> Result<(Helper, &Helpers), Failure> {
        let took = clock::instant().saturating_duration_since(self.since);
        let helper = self.helpers.with(|state| {
            state.reservation_timeout.learn(took);
            if took > self.helpers.exchange_timeout {
                state.queue.free(self.ticket);
            }
            state.queue.claim(self.ticket)
        });
        Ok((helper.ok_or(Failure::GivenUp)?, &self.helpers))
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.helpers.with(|state| state.queue.free(self.ticket));
    }
}

impl State {
    fn take(&mut self, now: Instant) -> Taken<Helper> {
        self.queue.take(now, self.reservation_timeout.limit())
    }
}

impl Drop for Helpers {
    fn drop(&mut self) {
        let shown = self.lock().shown;
        self.metrics.changed(shown, HelperCounts::default());
    }
}

const SOONEST: Duration = Duration::from_millis(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

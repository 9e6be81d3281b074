//! All helpers of a pool, and who has which.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Failure;
use super::patience::Patience;
use super::process::Process;
use super::roster::{Roster, Taken, Ticket};
use crate::clock;
use crate::config::checked::Ntlm;
use crate::metrics::{Metrics, NtlmHelpers};

/// A helper at hand. Dropping it ends the helper, and its keeper starts another:
/// whoever gives up in the middle of a dialogue leaves no answer to be read by
/// the next. [`Staff::put`] keeps it.
#[derive(Debug)]
pub(super) struct Worker {
    /// Which one.
    pub(super) id: u64,
    /// Its pipes.
    pub(super) process: Process,
    /// Whether it has answered well.
    pub(super) proven: bool,
    /// Tells its keeper whether it had, when it is dropped.
    pub(super) gone: Option<oneshot::Sender<bool>>,
}

impl Drop for Worker {
    fn drop(&mut self) {
        if let Some(gone) = self.gone.take() {
            // A keeper that has gone needs no telling.
            let _ = gone.send(self.proven);
        }
    }
}

/// The helpers of a pool.
#[derive(Debug)]
pub(super) struct Staff {
    metrics: Arc<Metrics>,
    helpers: usize,
    /// One waits no longer than a helper may take.
    longest_wait: Duration,
    exchange_timeout: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    roster: Roster<Worker>,
    patience: Patience,
    /// Helpers that run, wherever they are.
    present: usize,
    /// Whether the pool is gone, and only exchanges that it began know of this.
    closed: bool,
    /// What the figures say of this pool.
    shown: NtlmHelpers,
}

impl Staff {
    /// No helpers yet.
    pub(super) fn new(settings: &Ntlm, metrics: Arc<Metrics>) -> Self {
        let state = State {
            roster: Roster::new(settings.queue),
            patience: Patience::new(),
            present: 0,
            closed: false,
            shown: NtlmHelpers::default(),
        };
        let staff = Self {
            metrics,
            helpers: settings.helpers,
            longest_wait: settings.helper_timeout,
            exchange_timeout: settings.exchange_timeout,
            state: Mutex::new(state),
        };
        staff.with(|_| ());
        staff
    }

    /// A helper, as soon as there is one.
    pub(super) async fn take(&self) -> Result<Worker, Failure> {
        let begun = clock::instant();
        let mut coming = match self.with(|state| state.take(begun)) {
            Taken::Helper(worker) => return Ok(worker),
            Taken::Full => return Err(Failure::Busy("the queue before them is full")),
            Taken::Wait(coming) => coming,
        };
        loop {
            let now = clock::instant();
            let left = (begun + self.longest_wait).saturating_duration_since(now);
            let overdue = self.with(|state| {
                state.roster.settle(now, state.patience.limit());
                state.roster.next_overdue(now, state.patience.limit())
            });
            // A reservation that is made meanwhile is looked at soon enough.
            let look_again = overdue.unwrap_or(LOOK_AGAIN).clamp(SOONEST, LOOK_AGAIN);
            match timeout(look_again.min(left), &mut coming).await {
                Ok(Ok(worker)) => return Ok(worker),
                Ok(Err(_)) => return Err(Failure::Busy("the pool is closing")),
                Err(_) if left.is_zero() => {
                    coming.close();
                    return coming.try_recv().map_err(|_| Failure::Busy("none came free in time"));
                }
                Err(_) => {}
            }
        }
    }

    /// A helper that has nothing to do, if there is one.
    pub(super) fn take_idle(&self) -> Option<Worker> {
        self.with(|state| state.roster.take_idle())
    }

    /// Gives a helper back that answered well.
    pub(super) fn put(&self, mut worker: Worker) {
        worker.proven = true;
        self.with(|state| state.roster.put(worker));
    }

    /// Keeps a helper for one exchange, which it has begun.
    pub(super) fn reserve(&self, mut worker: Worker, now: Instant) -> Ticket {
        worker.proven = true;
        self.with(|state| state.roster.reserve(worker, now))
    }

    /// The helper of an exchange that began at `since`, unless that was given up.
    pub(super) fn claim(&self, ticket: Ticket, since: Instant) -> Result<Worker, Failure> {
        let took = clock::instant().saturating_duration_since(since);
        self.with(|state| {
            state.patience.learn(took);
            if took > self.exchange_timeout {
                state.roster.free(ticket);
            }
            state.roster.claim(ticket)
        })
        .ok_or(Failure::GivenUp)
    }

    /// Ends a reservation whose client has gone.
    pub(super) fn free(&self, ticket: Ticket) {
        self.with(|state| state.roster.free(ticket));
    }

    /// A helper was started.
    pub(super) fn arrive(&self, worker: Worker) {
        self.with(|state| {
            state.present += 1;
            state.roster.put(worker);
        });
    }

    /// A helper ended.
    pub(super) fn leave(&self, id: u64) {
        self.metrics.ntlm_restarts.inc();
        self.with(|state| {
            state.present = state.present.saturating_sub(1);
            state.roster.forget(|worker| worker.id == id);
        });
    }

    /// Ends every reservation: the pool is gone, and its helpers with it.
    pub(super) fn close(&self) {
        self.with(|state| {
            state.roster = Roster::new(0);
            state.closed = true;
        });
    }

    /// Whether any helper runs.
    pub(super) fn anybody(&self) -> bool {
        self.with(|state| state.present > 0)
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let mut state = self.lock();
        let outcome = change(&mut state);
        let counts = state.roster.counts();
        let figures = if state.closed {
            NtlmHelpers::default()
        } else {
            NtlmHelpers {
                idle: counts.idle,
                reserved: counts.reserved,
                busy: state.present.saturating_sub(counts.idle + counts.reserved),
                starting: self.helpers.saturating_sub(state.present),
                waiting: counts.waiting,
            }
        };
        self.metrics.ntlm_helpers(state.shown, figures);
        state.shown = figures;
        outcome
    }

    /// No code that can panic runs under this lock, so a poisoned one is whole.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, now: Instant) -> Taken<Worker> {
        self.roster.take(now, self.patience.limit())
    }
}

impl Drop for Staff {
    fn drop(&mut self) {
        let shown = self.lock().shown;
        self.metrics.ntlm_helpers(shown, NtlmHelpers::default());
    }
}

const SOONEST: Duration = Duration::from_millis(1);
const LOOK_AGAIN: Duration = Duration::from_millis(50);

//! Which helper is whose. Decisions on plain values: no clock, no process.

use std::collections::{BTreeMap, VecDeque};
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

/// Helpers that are idle or reserved, and those who wait for one. A helper that
/// is at work is with whoever took it.
///
/// A helper that comes free is for whoever waited longest. One that is taken from
/// an exchange that nobody finishes is for whoever came last: where helpers have
/// to be won that way, exchanges are being abandoned, and the newest is the
/// likeliest to be meant.
#[derive(Debug)]
pub(super) struct Queue<T> {
    /// The one used last is taken first: it is the warmest.
    idle: Vec<T>,
    /// By ticket, so the oldest comes first.
    reserved: BTreeMap<Ticket, Reserved<T>>,
    waiting: Waiting<T>,
    /// How many may wait.
    bound: usize,
    next: u64,
}

/// The oldest first.
type Waiting<T> = VecDeque<oneshot::Sender<T>>;

/// Names a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(u64);

#[derive(Debug)]
struct Reserved<T> {
    helper: T,
    since: Instant,
}

/// What comes of asking for a helper.
#[derive(Debug)]
pub(super) enum Taken<T> {
    /// Here it is.
    Helper(T),
    /// It will come, unless time runs out.
    Wait(oneshot::Receiver<T>),
    /// As many wait as may wait.
    Full,
}

/// How many there are of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) idle: usize,
    pub(super) reserved: usize,
    pub(super) waiting: usize,
}

impl<T> Queue<T> {
    /// A queue without helpers, for which `bound` may wait.
    pub(super) fn new(bound: usize) -> Self {
        Self {
            idle: Vec::new(),
            reserved: BTreeMap::new(),
            waiting: VecDeque::new(),
            bound,
            next: 0,
        }
    }

    /// An idle helper, or the one that was reserved longest if that is longer
    /// than `timeout`.
    pub(super) fn take(&mut self, now: Instant, timeout: Duration) -> Taken<T> {
        if let Some(helper) = self.idle.pop().or_else(|| self.overdue(now, timeout)) {
            return Taken::Helper(helper);
        }
        if self.waiting.len() >= self.bound {
            self.waiting.retain(|waiting| !waiting.is_closed());
        }
        if self.waiting.len() >= self.bound {
            return Taken::Full;
        }
        let (give, get) = oneshot::channel();
        self.waiting.push_back(give);
        Taken::Wait(get)
    }

    /// An idle helper, and nobody's otherwise.
    pub(super) fn take_idle(&mut self) -> Option<T> {
        self.idle.pop()
    }

    /// A helper that nobody needs any more: it is the oldest waiter's, else idle.
    pub(super) fn put(&mut self, helper: T) {
        self.hand_out(helper, VecDeque::pop_front);
    }

    /// Keeps a helper for one exchange.
    pub(super) fn reserve(&mut self, helper: T, now: Instant) -> Ticket {
        let ticket = Ticket(self.next);
        self.next += 1;
        self.reserved.insert(ticket, Reserved { helper, since: now });
        ticket
    }

    /// The helper of a reservation, unless it was given to somebody else.
    pub(super) fn claim(&mut self, ticket: Ticket) -> Option<T> {
        self.reserved.remove(&ticket).map(|reserved| reserved.helper)
    }

    /// Ends a reservation.
    pub(super) fn free(&mut self, ticket: Ticket) {
        if let Some(helper) = self.claim(ticket) {
            self.put(helper);
        }
    }

    /// Gives those who wait what has been reserved for longer than `timeout`.
    pub(super) fn settle(&mut self, now: Instant, timeout: Duration) {
        self.waiting.retain(|waiting| !waiting.is_closed());
        while !self.waiting.is_empty() {
            match self.overdue(now, timeout) {
                Some(helper) => self.hand_out(helper, VecDeque::pop_back),
                None => return,
            }
        }
    }

    /// How long until a reservation is older than `timeout`.
    pub(super) fn next_overdue(&self, now: Instant, timeout: Duration) -> Option<Duration> {
        let (_, oldest) = self.reserved.first_key_value()?;
        Some((oldest.since + timeout).saturating_duration_since(now))
    }

    /// Takes out a helper that ended, wherever it is.
    pub(super) fn forget(&mut self, is_it: impl Fn(&T) -> bool) {
        self.idle.retain(|helper| !is_it(helper));
        self.reserved.retain(|_, reserved| !is_it(&reserved.helper));
    }

    /// For the figures.
    pub(super) fn counts(&self) -> Counts {
        Counts {
            idle: self.idle.len(),
            reserved: self.reserved.len(),
            waiting: self.waiting.iter().filter(|waiting| !waiting.is_closed()).count(),
        }
    }

    fn hand_out(&mut self, mut helper: T, next: fn(&mut Waiting<T>) -> Option<oneshot::Sender<T>>) {
        while let Some(waiting) = next(&mut self.waiting) {
            match waiting.send(helper) {
                Ok(()) => return,
                Err(back) => helper = back,
            }
        }
        self.idle.push(helper);
    }

    fn overdue(&mut self, now: Instant, timeout: Duration) -> Option<T> {
        if !self.next_overdue(now, timeout)?.is_zero() {
            return None;
        }
        self.reserved.pop_first().map(|(_, reserved)| reserved.helper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const TIMEOUT: Duration = Duration::from_secs(1);

    fn helper(taken: Taken<u32>) -> u32 {
        match taken {
            Taken::Helper(helper) => helper,
            other => panic!("{other:?}"),
        }
    }

    fn wait(taken: Taken<u32>) -> oneshot::Receiver<u32> {
        match taken {
            Taken::Wait(get) => get,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_helper_that_comes_free_is_for_whoever_waited_longest() {
        let (mut queue, now) = (Queue::new(2), clock::instant());
        let mut older = wait(queue.take(now, TIMEOUT));
        let mut newer = wait(queue.take(now, TIMEOUT));
        assert!(matches!(queue.take(now, TIMEOUT), Taken::Full));
        queue.put(1);
        assert!(newer.try_recv().is_err());
        assert_eq!(older.try_recv(), Ok(1));
        queue.put(1);
        assert_eq!(newer.try_recv(), Ok(1));
    }

    #[test]
    fn a_helper_that_is_taken_from_the_slow_is_for_whoever_came_last() {
        let (mut queue, now) = (Queue::new(2), clock::instant());
        queue.reserve(1, now);
        let mut older = wait(queue.take(now, TIMEOUT));
        let mut newer = wait(queue.take(now, TIMEOUT));
        queue.settle(now + TIMEOUT, TIMEOUT);
        assert!(older.try_recv().is_err());
        assert_eq!(newer.try_recv(), Ok(1));
    }

    #[test]
    fn whoever_has_gone_takes_no_place_and_no_helper() {
        let (mut queue, now) = (Queue::new(1), clock::instant());
        drop(wait(queue.take(now, TIMEOUT)));
        let mut second = wait(queue.take(now, TIMEOUT));
        queue.put(1);
        assert_eq!(second.try_recv(), Ok(1));
        let gone = wait(queue.take(now, TIMEOUT));
        drop(gone);
        queue.put(2);
        assert_eq!(queue.counts(), Counts { idle: 1, reserved: 0, waiting: 0 });
    }

    #[test]
    fn a_reservation_is_kept_for_as_long_as_patience_and_no_longer_than_somebody_needs_it() {
        let (mut queue, now) = (Queue::new(1), clock::instant());
        let ticket = queue.reserve(1, now);
        let early = now + TIMEOUT - Duration::from_millis(1);
        let mut newcomer = wait(queue.take(early, TIMEOUT));
        queue.settle(early, TIMEOUT);
        assert!(newcomer.try_recv().is_err());
        queue.settle(now + TIMEOUT, TIMEOUT);
        assert_eq!(newcomer.try_recv(), Ok(1));
        assert_eq!(queue.claim(ticket), None, "it was given up");

        let unneeded = queue.reserve(1, now);
        queue.settle(now + 100 * TIMEOUT, TIMEOUT);
        assert_eq!(queue.claim(unneeded), Some(1));
    }

    #[test]
    fn the_oldest_reservation_is_given_up_first() {
        let (mut queue, now) = (Queue::new(1), clock::instant());
        let first = queue.reserve(1, now);
        let second = queue.reserve(2, now + Duration::from_millis(1));
        assert_eq!(helper(queue.take(now + 2 * TIMEOUT, TIMEOUT)), 1);
        assert_eq!((queue.claim(first), queue.claim(second)), (None, Some(2)));
    }

    #[test]
    fn an_idle_helper_comes_before_a_reserved_one() {
        let (mut queue, now) = (Queue::new(1), clock::instant());
        let ticket = queue.reserve(1, now);
        queue.put(2);
        assert_eq!(helper(queue.take(now + 2 * TIMEOUT, TIMEOUT)), 2);
        queue.free(ticket);
        assert_eq!(helper(queue.take(now, TIMEOUT)), 1);
    }

    #[test]
    fn a_helper_that_ended_is_nobodys() {
        let (mut queue, now) = (Queue::new(1), clock::instant());
        let ticket = queue.reserve(1, now);
        queue.put(2);
        queue.forget(|_| true);
        assert_eq!(queue.claim(ticket), None);
        assert_eq!(queue.counts(), Counts { idle: 0, reserved: 0, waiting: 0 });
    }
}

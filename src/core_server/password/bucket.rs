//! How many wrong passwords are allowed, as a leaking bucket: each one counts until its share of
//! the window has passed. Pure: instants are arguments.

use std::time::{Duration, Instant};

/// So many wrong passwords within such a time; as they are forgotten one by
/// one, a long-lasting attack has as many tries in each window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowance {
    /// At least 1.
    pub(super) attempts: u32,
    /// Until the last of them is forgotten.
    pub(super) window: Duration,
}

impl Allowance {
    /// What one wrong password costs.
    fn each(self) -> Duration {
        self.window / self.attempts.max(1)
    }
}

/// The wrong passwords of one address or account, and those not yet decided.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Bucket {
    /// When all is forgotten.
    empty_at: Option<Instant>,
    /// Attempts that are being checked at this moment.
    pending: u32,
}

/// Whether a further attempt may be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Leave {
    /// It may.
    Go,
    /// Not before one that is being checked has come out.
    Wait,
    /// Not before so much time has passed.
    Stop(Duration),
}

impl Bucket {
    /// Begins an attempt, where it may be made.
    pub(super) fn begin(&mut self, now: Instant, allowance: Allowance) -> Leave {
        let (level, each) = (self.level(now), allowance.each());
        if level + each > allowance.window {
            return Leave::Stop((level + each).saturating_sub(allowance.window));
        }
        // If all those pending fail, this one would be too many.
        if level + each * (self.pending + 1) > allowance.window {
            return Leave::Wait;
        }
        self.pending += 1;
        Leave::Go
    }

    /// An attempt that was begun has ended without a wrong password.
    pub(super) fn release(&mut self) {
        self.pending = self.pending.saturating_sub(1);
    }

    /// An attempt that was begun had a wrong password.
    pub(super) fn fail(&mut self, now: Instant, allowance: Allowance) {
        self.release();
        let level = (self.level(now) + allowance.each()).min(allowance.window);
        self.empty_at = Some(now + level);
    }

    fn level(&self, now: Instant) -> Duration {
        self.empty_at.map_or(Duration::ZERO, |empty| empty.saturating_duration_since(now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const FIVE_A_MINUTE: Allowance = Allowance { attempts: 5, window: Duration::from_secs(60) };

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    #[test]
    fn after_five_wrong_ones_the_sixth_waits_for_its_share_of_the_window() {
        let (mut bucket, now) = (Bucket::default(), clock::instant());
        for _ in 0..5 {
            assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Go);
            bucket.fail(now, FIVE_A_MINUTE);
        }
        assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Stop(seconds(12)));
        assert_eq!(bucket.begin(now + seconds(11), FIVE_A_MINUTE), Leave::Stop(seconds(1)));
        assert_eq!(bucket.begin(now + seconds(12), FIVE_A_MINUTE), Leave::Go);
        bucket.fail(now + seconds(12), FIVE_A_MINUTE);
        assert_eq!(bucket.begin(now + seconds(12), FIVE_A_MINUTE), Leave::Stop(seconds(12)));
    }

    #[test]
    fn right_ones_cost_nothing() {
        let (mut bucket, now) = (Bucket::default(), clock::instant());
        for _ in 0..100 {
            assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Go);
            bucket.release();
        }
    }

    #[test]
    fn no_more_are_checked_at_once_than_may_fail() {
        let (mut bucket, now) = (Bucket::default(), clock::instant());
        for _ in 0..5 {
            assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Go);
        }
        assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Wait);
        bucket.release();
        assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Go);
        for _ in 0..5 {
            bucket.fail(now, FIVE_A_MINUTE);
        }
        assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Stop(seconds(12)));
    }

    #[test]
    fn a_smaller_allowance_after_a_reload_counts_at_once() {
        let (mut bucket, now) = (Bucket::default(), clock::instant());
        for _ in 0..4 {
            assert_eq!(bucket.begin(now, FIVE_A_MINUTE), Leave::Go);
            bucket.fail(now, FIVE_A_MINUTE);
        }
        let two = Allowance { attempts: 2, ..FIVE_A_MINUTE };
        assert!(matches!(bucket.begin(now, two), Leave::Stop(_)));
    }
}

//! Notices that nothing has moved for a while.

use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval};

/// A limit on standing still. Movement costs one store: the clock is looked at
/// only when a whole period has gone by, so a standstill is noticed after one
/// to two times the limit. No timer exists until somebody has to wait.
#[derive(Debug)]
pub(super) struct Stall {
    limit: Duration,
    timer: Option<Interval>,
    moved: bool,
}

impl Stall {
    /// Nothing may stand still for longer than `limit` (above zero).
    pub(super) fn new(limit: Duration) -> Self {
        Self { limit: limit.max(Duration::from_millis(1)), timer: None, moved: false }
    }

    /// Something has moved.
    pub(super) fn moved(&mut self) {
        self.moved = true;
    }

    /// Ready when nothing has moved for the whole limit; asked only while waiting.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| {
            let mut timer = interval(self.limit);
            // Ticks that nobody looked at must not pile up: two at once would
            // look like a standstill.
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            timer.reset();
            self.moved = false;
            timer
        });
        while timer.poll_tick(cx).is_ready() {
            if !std::mem::take(&mut self.moved) {
                return Poll::Ready(());
            }
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    const LIMIT: Duration = Duration::from_millis(40);

    #[tokio::test]
    async fn a_standstill_is_noticed() {
        let mut stall = Stall::new(LIMIT);
        let began = crate::clock::instant();
        poll_fn(|cx| stall.poll(cx)).await;
        assert!(began.elapsed() >= LIMIT);
    }

    #[tokio::test]
    async fn movement_puts_the_end_off() {
        let mut stall = Stall::new(LIMIT);
        let began = crate::clock::instant();
        poll_fn(|cx| {
            let first = stall.timer.is_none();
            let ended = stall.poll(cx);
            if first {
                stall.moved();
            }
            ended
        })
        .await;
        assert!(began.elapsed() >= 2 * LIMIT, "it moved in the first period, not in the second");
    }
}

//! How long a reserved helper waits for its client while others wait for it.

use std::time::Duration;

/// An estimate of how long clients take from challenge to answer, made like
/// TCP's retransmission time-out (RFC 6298 section 2): the smoothed time and
/// four times its deviation. Clients that answer in a millisecond leave little
/// to those who never do; where clients are slow, or the machine is busy, nobody
/// is given up too early.
#[derive(Debug)]
pub(super) struct ReservationTimeout {
    estimate: Option<Estimate>,
}

#[derive(Clone, Copy, Debug)]
struct Estimate {
    smoothed: Duration,
    deviation: Duration,
}

impl ReservationTimeout {
    /// Before any client answered.
    pub(super) fn new() -> Self {
        Self { estimate: None }
    }

    /// A client took this long to answer, in time or too late.
    pub(super) fn learn(&mut self, took: Duration) {
        // What a client can make of it by being slow on purpose ends here.
        let took = took.min(MOST);
        self.estimate = Some(match self.estimate {
            None => Estimate { smoothed: took, deviation: took / 2 },
            Some(Estimate { smoothed, deviation }) => Estimate {
                smoothed: (smoothed * 7 + took) / 8,
                deviation: (deviation * 3 + smoothed.abs_diff(took)) / 4,
            },
        });
    }

    /// The time after which somebody else may have the helper.
    pub(super) fn limit(&self) -> Duration {
        let limit = self.estimate.map_or(FIRST, |now| now.smoothed + now.deviation * 4);
        limit.clamp(LEAST, MOST)
    }
}

/// A round trip across a continent.
const LEAST: Duration = Duration::from_millis(100);

const FIRST: Duration = Duration::from_millis(250);

/// What a real user may have to wait while others abandon their exchanges.
const MOST: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patience_follows_the_clients() {
        let mut timeout = ReservationTimeout::new();
        assert_eq!(timeout.limit(), FIRST);
        for _ in 0..50 {
            timeout.learn(Duration::from_millis(1));
        }
        assert_eq!(timeout.limit(), LEAST);
        for _ in 0..50 {
            timeout.learn(Duration::from_millis(400));
        }
        assert!(timeout.limit() >= Duration::from_millis(400), "{:?}", timeout.limit());
    }

    #[test]
    fn nobody_stretches_it_beyond_its_end() {
        let mut timeout = ReservationTimeout::new();
        for _ in 0..50 {
            timeout.learn(Duration::from_secs(3600));
        }
        assert_eq!(timeout.limit(), MOST);
    }
}

//! What strangers can provoke is said aloud once in a while, and not as often as
//! they like.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::clock;

/// Remembers what was said aloud, by a word of few for each thing.
#[derive(Debug, Default)]
pub struct Seldom(Mutex<BTreeMap<&'static str, Said>>);

#[derive(Debug)]
struct Said {
    at: Instant,
    since: u64,
}

impl Seldom {
    /// With nothing said.
    pub const fn new() -> Self {
        Self(Mutex::new(BTreeMap::new()))
    }

    /// Whether it is time to say this aloud: then how often it has happened since
    /// the last time, this one not counted. Otherwise it is to be said quietly.
    pub fn aloud(&self, what: &'static str) -> Option<u64> {
        self.aloud_at(what, clock::instant())
    }

    fn aloud_at(&self, what: &'static str, now: Instant) -> Option<u64> {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match said.get_mut(what) {
            Some(said) if now.saturating_duration_since(said.at) < PAUSE => {
                said.since += 1;
                None
            }
            Some(said) => {
                said.at = now;
                Some(std::mem::take(&mut said.since))
            }
            None => {
                said.insert(what, Said { at: now, since: 0 });
                Some(0)
            }
        }
    }
}

/// Between two times.
const PAUSE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thing_is_said_aloud_once_a_minute_with_the_number_of_those_between() {
        let (seldom, now) = (Seldom::new(), clock::instant());
        assert_eq!(seldom.aloud_at("a", now), Some(0));
        assert_eq!(seldom.aloud_at("a", now), None);
        assert_eq!(seldom.aloud_at("b", now), Some(0));
        assert_eq!(seldom.aloud_at("a", now + PAUSE / 2), None);
        assert_eq!(seldom.aloud_at("a", now + PAUSE), Some(2));
        assert_eq!(seldom.aloud_at("a", now + PAUSE), None);
        assert_eq!(seldom.aloud_at("a", now + 2 * PAUSE), Some(1));
    }
}

//! Limits similar lines in the log: the first one, and then one for each period. Strangers can
//! cause some events as often as they like.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Remembers when something of a kind was told last, of a bounded number of kinds.
#[derive(Debug)]
pub(crate) struct Seldom<K> {
    every: Duration,
    bound: usize,
    told: Mutex<BTreeMap<K, Told>>,
}

#[derive(Debug)]
struct Told {
    at: Instant,
    since: u64,
}

impl<K: Ord> Seldom<K> {
    /// One line of each kind in each such while, of at most `bound` kinds.
    pub(crate) const fn new(every: Duration, bound: usize) -> Self {
        Self { every, bound, told: Mutex::new(BTreeMap::new()) }
    }

    #[cfg(test)]
    pub(crate) fn is_due(&self, kind: K, now: Instant) -> bool {
        self.due(kind, now).is_some()
    }

    /// How often this kind has happened since it was told last; `None` where it is not to
    /// be told now.
    pub(crate) fn due(&self, kind: K, now: Instant) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |told: &Told| now.saturating_duration_since(told.at) < self.every;
        let mut since = 0;
        if let Some(told) = told.get_mut(&kind) {
            if recent(told) {
                told.since += 1;
                return None;
            }
            since = told.since;
        }
        if told.len() >= self.bound && !told.contains_key(&kind) {
            told.retain(|_, told| recent(told));
            if told.len() >= self.bound {
                return None;
            }
        }
        told.insert(kind, Told { at: now, since: 0 });
        Some(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn each_kind_is_told_once_in_a_while() {
        let seldom = Seldom::new(Duration::from_secs(60), 10);
        let begin = clock::instant();
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(seldom.is_due("a", at(0)));
        assert!(!seldom.is_due("a", at(59)));
        assert!(seldom.is_due("b", at(59)));
        assert_eq!(seldom.due("a", at(60)), Some(1), "one came between");
        assert_eq!(seldom.due("a", at(120)), Some(0));
    }

    #[test]
    fn more_kinds_than_fit_are_not_told_until_others_are_old() {
        let seldom = Seldom::new(Duration::from_secs(60), 2);
        let begin = clock::instant();
        let at = |seconds| begin + Duration::from_secs(seconds);
        assert!(seldom.is_due(1, at(0)) && seldom.is_due(2, at(0)));
        assert!(!seldom.is_due(3, at(1)));
        assert!(seldom.is_due(3, at(61)));
    }
}

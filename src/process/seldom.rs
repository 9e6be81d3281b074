//! Which of many like things is worth a line in the log: the first, and then one each
//! while. Strangers can make some things happen as often as they like.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Remembers when something of a kind was told last, of a bounded number of kinds.
#[derive(Debug)]
pub struct Seldom<K> {
    every: Duration,
    bound: usize,
    told: Mutex<HashMap<K, Instant>>,
}

impl<K: Eq + Hash> Seldom<K> {
    /// One line of each kind in each such while, of at most `bound` kinds.
    pub fn new(every: Duration, bound: usize) -> Self {
        Self { every, bound, told: Mutex::default() }
    }

    /// Whether something of this kind is to be told now.
    pub fn is_due(&self, kind: K, now: Instant) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: &Instant| now.saturating_duration_since(*at) < self.every;
        if told.get(&kind).is_some_and(recent) {
            return false;
        }
        if told.len() >= self.bound {
            told.retain(|_, at| recent(at));
            if told.len() >= self.bound {
                return false;
            }
        }
        told.insert(kind, now);
        true
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
        assert!(seldom.is_due("a", at(60)));
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

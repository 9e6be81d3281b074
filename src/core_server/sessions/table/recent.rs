//! Sessions that ended recently, so that clients that still send one learn why.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};

use crate::wire::{Ended, SessionKey};

/// The latest ends, [`REMEMBERED`] at most.
#[derive(Debug, Default)]
pub(super) struct Recent {
    ends: HashMap<SessionKey, Ended>,
    order: VecDeque<SessionKey>,
}

impl Recent {
    /// A session has ended. Its first end is the one that counts.
    pub(super) fn remember(&mut self, key: SessionKey, ended: Ended) {
        match self.ends.entry(key) {
            Entry::Occupied(_) => return,
            Entry::Vacant(new) => new.insert(ended),
        };
        self.order.push_back(key);
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.ends.remove(&oldest);
        }
    }

    /// Why the session of this key ended, where that is still known.
    pub(super) fn of(&self, key: &SessionKey) -> Option<Ended> {
        self.ends.get(key).copied()
    }
}

/// About a megabyte.
const REMEMBERED: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Timestamp;
    use crate::wire::Ending;

    #[test]
    fn the_latest_ends_are_remembered_and_no_more_than_fit() {
        let mut recent = Recent::default();
        let key = |number: usize| SessionKey::sample(&number.to_string());
        let ended = |number| Ended { why: Ending::Idle, at: Timestamp::from_unix(number as u64) };
        for number in 0..=REMEMBERED {
            recent.remember(key(number), ended(number));
        }
        assert_eq!(recent.of(&key(0)), None);
        assert_eq!(recent.of(&key(1)), Some(ended(1)));
        assert_eq!(recent.of(&key(REMEMBERED)), Some(ended(REMEMBERED)));
        assert_eq!((recent.ends.len(), recent.order.len()), (REMEMBERED, REMEMBERED));
    }
}

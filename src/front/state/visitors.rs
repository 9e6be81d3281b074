//! References for clients that are not signed on. Browsers often send requests without
//! credentials, which are logged only from time to time. The pages in between show the reference
//! of the last line.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::wire::Reason;
use crate::wire::reference::new_reference;

/// Who came, where to, and what is missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::front) struct Visitor {
    /// The host that was asked for.
    pub host: String,
    /// The client's address, where it is known.
    pub client: Option<IpAddr>,
    /// Why there is no identity.
    pub reason: Reason,
}

/// The references of the last minute, of a bounded number of visitors.
#[derive(Debug, Default)]
pub(in crate::front) struct Visitors(Mutex<BTreeMap<Visitor, (Instant, String)>>);

/// The reference for a page.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::front) struct Reference {
    pub(in crate::front) text: String,
    /// Whether the log has to be told of it.
    pub(in crate::front) is_new: bool,
}

impl Visitors {
    /// The reference of this visitor's line in the log, which is new once a minute.
    pub(in crate::front) fn reference(&self, visitor: Visitor, now: Instant) -> Reference {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |at: Instant| now.saturating_duration_since(at) < MINUTE;
        if let Some((_, text)) = known.get(&visitor).filter(|(at, _)| recent(*at)) {
            return Reference { text: text.clone(), is_new: false };
        }
        if known.len() >= MOST {
            known.retain(|_, (at, _)| recent(*at));
        }
        let text = new_reference();
        // Strangers who come from everywhere at once do not fill the log.
        let is_new = known.len() < MOST;
        if is_new {
            known.insert(visitor, (now, text.clone()));
        }
        Reference { text, is_new }
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// Visitors that are remembered.
const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    fn visitor(host: &str) -> Visitor {
        Visitor { host: host.to_owned(), client: None, reason: Reason::NoCredentials }
    }

    #[test]
    fn pages_of_one_minute_have_the_reference_that_is_in_the_log() {
        let (visitors, begin) = (Visitors::default(), clock::instant());
        let at = |seconds| begin + Duration::from_secs(seconds);
        let first = visitors.reference(visitor("a"), at(0));
        assert!(first.is_new);
        assert_eq!(visitors.reference(visitor("a"), at(59)), Reference { is_new: false, ..first });
        assert!(visitors.reference(visitor("b"), at(59)).is_new);
        assert!(visitors.reference(visitor("a"), at(60)).is_new);
        let ended = Visitor { reason: Reason::SessionEnded, ..visitor("a") };
        assert!(visitors.reference(ended, at(60)).is_new);
    }

    #[test]
    fn more_than_fit_have_a_reference_and_no_line() {
        let (visitors, now) = (Visitors::default(), clock::instant());
        for number in 0..MOST {
            assert!(visitors.reference(visitor(&number.to_string()), now).is_new);
        }
        assert!(!visitors.reference(visitor("late"), now).is_new);
        assert!(visitors.reference(visitor("late"), now + MINUTE).is_new);
    }
}

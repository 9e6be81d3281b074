//! The sessions of one user, in the order in which new ones replace them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::core_server::store::Usage;
use crate::wire::{SessionKey, User};

#[derive(Debug, Default)]
pub(in crate::core_server::sessions) struct Account {
    contents: Vec<Content>,
    /// Since they were opened; uses make them claimed.
    unclaimed: BTreeMap<(Timestamp, u64), SessionKey>,
    claimed: BTreeMap<(Timestamp, u64), SessionKey>,
}

/// One content of a user, shared by the sessions that were opened with it: the
/// groups of somebody in a thousand of them are 45 KB.
#[derive(Debug)]
struct Content {
    user: Arc<User>,
    sessions: usize,
}

impl Account {
    /// Holds the user's content for one more session, and gives the shared copy.
    pub(super) fn hold(&mut self, user: Arc<User>) -> Arc<User> {
        if let Some(known) = self.contents.iter_mut().find(|known| known.user == user) {
            known.sessions += 1;
            return Arc::clone(&known.user);
        }
        self.contents.push(Content { user: Arc::clone(&user), sessions: 1 });
        user
    }

    /// Lets a content go for one session.
    pub(super) fn release(&mut self, user: &Arc<User>) {
        let held = self.contents.iter().position(|known| Arc::ptr_eq(&known.user, user));
        let Some(at) = held else { return };
        self.contents[at].sessions -= 1;
        if self.contents[at].sessions == 0 {
            self.contents.swap_remove(at);
        }
    }

    /// Whether no session holds anything here any more.
    pub(super) const fn is_empty(&self) -> bool {
        self.contents.is_empty()
    }

    pub(super) fn sessions(&self) -> usize {
        self.unclaimed.len() + self.claimed.len()
    }

    pub(super) fn add(&mut self, arrival: u64, usage: Usage, key: SessionKey) {
        self.of(usage).insert((usage.last_used, arrival), key);
    }

    pub(super) fn remove(&mut self, arrival: u64, usage: Usage) {
        self.of(usage).remove(&(usage.last_used, arrival));
    }

    fn of(&mut self, usage: Usage) -> &mut BTreeMap<(Timestamp, u64), SessionKey> {
        if usage.claimed { &mut self.claimed } else { &mut self.unclaimed }
    }

    /// The keys of its sessions.
    pub(in crate::core_server::sessions) fn keys(&self) -> impl Iterator<Item = &SessionKey> {
        self.unclaimed.values().chain(self.claimed.values())
    }

    /// The session that makes room: the oldest that was never claimed, where its
    /// bearer has had the time to; else the one unused longest, claimed or not.
    pub(super) fn eviction_candidate(&self, now: Timestamp) -> Option<SessionKey> {
        let (unclaimed, claimed) =
            (self.unclaimed.first_key_value(), self.claimed.first_key_value());
        let first = match (unclaimed, claimed) {
            (Some(fresh), Some(used)) if fresh.0.0.plus(TIME_TO_CLAIM) > now => fresh.min(used),
            (fresh, used) => fresh.or(used)?,
        };
        Some(*first.1)
    }
}

/// A client that keeps its cookie has shown it again by then.
const TIME_TO_CLAIM: Duration = Duration::from_secs(5);

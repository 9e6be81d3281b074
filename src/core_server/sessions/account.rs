//! The sessions of one user, in the order in which new ones replace them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::core_server::store::Usage;
use crate::wire::{SessionKey, User};

#[derive(Debug, Default)]
pub(super) struct Account {
    versions: Vec<Version>,
    /// Since they were opened; uses make them claimed.
    unclaimed: BTreeMap<(Timestamp, u64), SessionKey>,
    claimed: BTreeMap<(Timestamp, u64), SessionKey>,
}

/// One content of a user, shared by the sessions that were opened with it: the
/// groups of somebody in a thousand of them are 45 KB.
#[derive(Debug)]
struct Version {
    id: u64,
    user: Arc<User>,
    holders: usize,
}

impl Account {
    /// Holds the user's content for one more session; `fresh_id` names a new one.
    pub(super) fn hold(&mut self, user: Arc<User>, fresh_id: u64) -> (u64, Arc<User>) {
        if let Some(version) = self.versions.iter_mut().find(|version| version.user == user) {
            version.holders += 1;
            return (version.id, Arc::clone(&version.user));
        }
        self.versions.push(Version { id: fresh_id, user: Arc::clone(&user), holders: 1 });
        (fresh_id, user)
    }

    /// Holds a stored content under the id it has there.
    pub(super) fn restore(&mut self, user: &Arc<User>, id: u64) {
        match self.versions.iter_mut().find(|version| version.id == id) {
            Some(version) => version.holders += 1,
            None => self.versions.push(Version { id, user: Arc::clone(user), holders: 1 }),
        }
    }

    /// Lets a content go for one session; whether it was the last.
    pub(super) fn release(&mut self, id: u64) -> bool {
        let Some(at) = self.versions.iter().position(|version| version.id == id) else {
            return false;
        };
        self.versions[at].holders -= 1;
        let last = self.versions[at].holders == 0;
        if last {
            self.versions.swap_remove(at);
        }
        last
    }

    /// Whether no session holds anything here any more.
    pub(super) fn is_empty(&self) -> bool {
        self.versions.is_empty()
    }

    pub(super) fn sessions(&self) -> usize {
        self.unclaimed.len() + self.claimed.len()
    }

    pub(super) fn add(&mut self, serial: u64, usage: Usage, key: SessionKey) {
        self.of(usage).insert((usage.last_used, serial), key);
    }

    pub(super) fn remove(&mut self, serial: u64, usage: Usage) {
        self.of(usage).remove(&(usage.last_used, serial));
    }

    fn of(&mut self, usage: Usage) -> &mut BTreeMap<(Timestamp, u64), SessionKey> {
        if usage.claimed { &mut self.claimed } else { &mut self.unclaimed }
    }

    /// Its sessions, each with its serial.
    pub(super) fn keys(&self) -> impl Iterator<Item = (u64, SessionKey)> {
        self.unclaimed.iter().chain(&self.claimed).map(|(&(_, serial), &key)| (serial, key))
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

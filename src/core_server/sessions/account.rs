//! The sessions of one user, in the order in which they make room for new ones.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::store::Usage;
use crate::wire::{SessionKey, User};

/// Whose sessions are counted together: the login, whatever its groups are.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Name {
    login: String,
    company: String,
}

impl Name {
    pub(super) fn of(user: &User) -> Self {
        Self { login: user.login.clone(), company: user.company.clone() }
    }

    pub(super) fn login(&self) -> &str {
        &self.login
    }

    pub(super) fn company(&self) -> &str {
        &self.company
    }
}

#[derive(Debug, Default)]
pub(super) struct Account {
    versions: Vec<Version>,
    unclaimed: BTreeMap<u64, SessionKey>,
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
        if usage.claimed {
            self.claimed.insert((usage.last_used, serial), key);
        } else {
            self.unclaimed.insert(serial, key);
        }
    }

    pub(super) fn remove(&mut self, serial: u64, usage: Usage) {
        if usage.claimed {
            self.claimed.remove(&(usage.last_used, serial));
        } else {
            self.unclaimed.remove(&serial);
        }
    }

    /// Its sessions, each with its serial.
    pub(super) fn keys(&self) -> impl Iterator<Item = (u64, SessionKey)> {
        let claimed = self.claimed.iter().map(|(&(_, serial), &key)| (serial, key));
        self.unclaimed.iter().map(|(&serial, &key)| (serial, key)).chain(claimed)
    }

    /// The session that makes room: of those never claimed the oldest, else
    /// the one unused longest.
    pub(super) fn first_to_go(&self) -> Option<SessionKey> {
        self.unclaimed.values().chain(self.claimed.values()).next().copied()
    }
}

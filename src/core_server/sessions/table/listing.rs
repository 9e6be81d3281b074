//! Looking at sessions without using them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Live, Table};
use crate::clock::Timestamp;
use crate::core_server::sessions::account::Account;
use crate::core_server::store::{Record, Usage};
use crate::wire::{LoginId, SessionKey};

/// Whose sessions are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) enum Whose {
    /// Everybody's.
    All,
    /// Those of one user.
    User(LoginId),
    /// Those whose id (SHA-256, lower-case hex) begins so.
    Id(String),
}

/// A session as it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Seen {
    /// What is known since it was opened.
    pub(in crate::core_server) record: Arc<Record>,
    /// How far it has been used by now.
    pub(in crate::core_server) usage: Usage,
}

impl Table {
    /// Sessions that live, by their serials, after that serial, `at_most` so
    /// many. Costs what it returns; an id is looked for among all sessions.
    pub(in crate::core_server::sessions) fn list(
        &self,
        whose: &Whose,
        after: Option<u64>,
        at_most: usize,
        now: Timestamp,
    ) -> Vec<Seen> {
        let from = after.map_or(0, |serial| serial.saturating_add(1));
        let seen = |key: &SessionKey| self.see(key, now);
        match whose {
            Whose::All => {
                self.serials.range(from..).filter_map(|(_, key)| seen(key)).take(at_most).collect()
            }
            Whose::Id(beginning) => {
                let begins = |key: &&SessionKey| key.to_string().starts_with(beginning);
                let keys = self.serials.range(from..).map(|(_, key)| key);
                keys.filter(begins).filter_map(seen).take(at_most).collect()
            }
            Whose::User(who) => {
                let account = self.accounts.get(who);
                let keys: BTreeMap<u64, SessionKey> =
                    account.into_iter().flat_map(Account::keys).collect();
                keys.range(from..).filter_map(|(_, key)| seen(key)).take(at_most).collect()
            }
        }
    }

    /// The session of a key, if it lives. No use of it.
    pub(in crate::core_server::sessions) fn see(
        &self,
        key: &SessionKey,
        now: Timestamp,
    ) -> Option<Seen> {
        let live = self.sessions.get(key).filter(|live| live.deadline(&self.limits) > now)?;
        let Live { record, usage, .. } = live;
        Some(Seen { record: Arc::clone(record), usage: *usage })
    }
}

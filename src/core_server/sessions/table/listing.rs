//! Looking at sessions without using them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Live, Table};
use crate::clock::Timestamp;
use crate::core_server::sessions::account::Name;
use crate::core_server::store::{Record, Usage};
use crate::wire::SessionKey;

/// Whose sessions are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) enum Whose {
    /// Everybody's.
    All,
    /// Those of logins of this name, whatever their company.
    Login(String),
    /// Those of one user.
    User {
        /// The login, canonical.
        login: String,
        /// The company.
        company: String,
    },
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

impl Whose {
    /// Whether a user is meant.
    fn names(&self, name: &Name) -> bool {
        match self {
            Self::Login(login) => name.login() == login,
            Self::User { login, company } => name.login() == login && name.company() == company,
            Self::All | Self::Id(_) => false,
        }
    }
}

impl Table {
    /// Sessions that live, by their serials, after that serial, `at_most` so
    /// many. Costs what it returns; a login is looked for among all names, and
    /// an id among all sessions.
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
            Whose::Login(_) | Whose::User { .. } => {
                let accounts = self.accounts.iter().filter(|(name, _)| whose.names(name));
                let keys: BTreeMap<u64, SessionKey> =
                    accounts.flat_map(|(_, account)| account.keys()).collect();
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

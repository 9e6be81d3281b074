//! Looking at sessions without using them.

use std::collections::BTreeSet;
use std::fmt;
use std::ops::Bound;
use std::str::FromStr;
use std::sync::Arc;

use super::Sessions;
use super::table::account::Account;
use super::table::{Live, Table};
use crate::clock::Timestamp;
use crate::core_server::store::{Record, Usage};
use crate::wire::{LoginId, SessionKey};

/// Which sessions are listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) enum Filter {
    /// All of them.
    All,
    /// Those of one user.
    User(LoginId),
    /// Those whose id (SHA-256, lower-case hex) begins so.
    Id(String),
}

/// A session at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Snapshot {
    /// What is known since it was opened.
    pub(in crate::core_server) record: Arc<Record>,
    /// How far it has been used by then.
    pub(in crate::core_server) usage: Usage,
}

/// The place of a session in a list of all, whichever core makes the list: by the moment
/// of its opening, and within a second by its key. As text it means nothing to clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Cursor(Timestamp, SessionKey);

/// A text that no list gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no place in a list of sessions")]
pub(in crate::core_server) struct OddCursor;

impl Cursor {
    pub(in crate::core_server) fn of(record: &Record) -> Self {
        Self(record.opened_at, record.key)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0.unix(), self.1)
    }
}

impl FromStr for Cursor {
    type Err = OddCursor;

    fn from_str(text: &str) -> Result<Self, OddCursor> {
        let (opened_at, key) = text.split_once('.').ok_or(OddCursor)?;
        let opened_at = opened_at.parse().map_err(|_| OddCursor)?;
        Ok(Self(Timestamp::from_unix(opened_at), key.parse().map_err(|_| OddCursor)?))
    }
}

impl Sessions {
    /// Sessions that live, those opened first before the others: those after that
    /// place, `at_most` so many. No use of them. Costs what it returns; an id is looked
    /// for among all sessions.
    pub(in crate::core_server) fn list(
        &self,
        filter: &Filter,
        after: Option<Cursor>,
        at_most: usize,
        now: Timestamp,
    ) -> Vec<Snapshot> {
        let table = self.table();
        let from = match after {
            Some(Cursor(opened_at, key)) => Bound::Excluded((opened_at, key)),
            None => Bound::Unbounded,
        };
        let range = (from, Bound::Unbounded);
        let see = |(_, key): &(Timestamp, SessionKey)| see(&table, key, now);
        match filter {
            Filter::All => table.by_opening.range(range).filter_map(see).take(at_most).collect(),
            Filter::Id(beginning) => {
                let begins =
                    |(_, key): &&(Timestamp, SessionKey)| key.to_string().starts_with(beginning);
                let found = table.by_opening.range(range).filter(begins);
                found.filter_map(see).take(at_most).collect()
            }
            Filter::User(who) => {
                let keys = table.accounts.get(who).into_iter().flat_map(Account::keys);
                let sessions = keys.filter_map(|key| table.sessions.get(key));
                let found: BTreeSet<_> =
                    sessions.map(|live| (live.record.opened_at, live.record.key)).collect();
                found.range(range).filter_map(see).take(at_most).collect()
            }
        }
    }

    /// The session of a key, if it lives. No use of it.
    pub(in crate::core_server) fn see(&self, key: &SessionKey, now: Timestamp) -> Option<Snapshot> {
        see(&self.table(), key, now)
    }
}

fn see(table: &Table, key: &SessionKey, now: Timestamp) -> Option<Snapshot> {
    let Live { record, usage, .. } = table.live(key, now)?;
    Some(Snapshot { record: Arc::clone(record), usage: *usage })
}

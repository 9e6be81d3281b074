//! All live sessions: in memory for speed, in the store for restarts.
//!
//! A new session is valid only after it is stored. An ended one is invalid at once, and its end is
//! stored as soon as the disk allows.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand;

use super::store::{Record, Store, WriteError};
use crate::clock::Timestamp;
use crate::core_server::request::admit::Admission;
use crate::wire::{Ended, Ending, Reason, SessionKey, SessionSecret};
use events::Events;

mod account;
pub(in crate::core_server) mod events;
mod recent;
mod table;
#[cfg(test)]
mod tests;

use table::Table;
pub(super) use table::{Gone, Limits, Origin, Seen, Whose};

/// See the module.
#[derive(Debug)]
pub(super) struct Sessions {
    table: Mutex<Table>,
    store: Store,
    events: Events,
}

/// A session that was just opened.
#[derive(Debug)]
pub(super) struct Opened {
    /// Known to its bearer alone.
    pub(super) secret: SessionSecret,
    pub(super) record: Arc<Record>,
    /// Sessions of the same user that had to make room, and were in use.
    pub(super) evicted: Vec<Arc<Record>>,
}

/// A session on its way to the disk.
type Prepared = (SessionSecret, Arc<Record>);

/// Why a session is not opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotOpened {
    /// The secret that it was to have belongs to another one.
    SecretTaken,
    /// It could not be written to the disk.
    Unrecorded(WriteError),
    /// It could not be told in the audit log.
    Unaudited,
}

impl From<WriteError> for NotOpened {
    fn from(error: WriteError) -> Self {
        Self::Unrecorded(error)
    }
}

impl Sessions {
    /// Takes up the stored sessions that still live.
    pub(super) fn start(stored: Vec<Record>, store: Store, limits: Limits, now: Timestamp) -> Self {
        let table = Mutex::new(Table::load(stored, limits, now));
        Self { table, store, events: Events::new() }
    }

    /// Opens a session. Must be awaited to its end, even when nobody waits for the
    /// answer any more.
    ///
    /// # Errors
    /// It is not opened.
    pub(super) async fn open_one(
        &self,
        admission: Admission,
        origin: Origin,
        now: Timestamp,
    ) -> Result<Opened, NotOpened> {
        let secret = origin.secret.clone().map_or_else(new_secret, Ok)?;
        let prepared = prepare(&mut self.table(), secret, admission, origin, now)?;
        let stored = self.store.open(vec![Arc::clone(&prepared.1)]).await;
        let mut table = self.table();
        let opened = self.settle(&mut table, prepared, stored, now);
        self.store.change_soon(table.take_changes());
        opened
    }

    /// Opens sessions with one write to the disk; an answer for each, with what was
    /// given beside it. One whose secret is taken is not opened; of the others all or
    /// none are. Must be awaited to its end, as above.
    pub(super) async fn open<T>(
        &self,
        admissions: Vec<(T, Admission, Origin)>,
        now: Timestamp,
    ) -> Vec<(T, Result<Opened, NotOpened>)> {
        let prepared = self.prepare_all(admissions, now);
        let records: Vec<_> = (prepared.iter())
            .filter_map(|(_, prepared)| prepared.as_ref().ok())
            .map(|(_, record)| Arc::clone(record))
            .collect();
        let stored = if records.is_empty() { Ok(()) } else { self.store.open(records).await };
        let mut table = self.table();
        let opened = (prepared.into_iter())
            .map(|(whose, prepared)| {
                let opened = prepared.and_then(|one| self.settle(&mut table, one, stored, now));
                (whose, opened)
            })
            .collect();
        self.store.change_soon(table.take_changes());
        opened
    }

    /// Makes the records with one hold of the lock; what takes time, before that.
    fn prepare_all<T>(
        &self,
        admissions: Vec<(T, Admission, Origin)>,
        now: Timestamp,
    ) -> Vec<(T, Result<Prepared, NotOpened>)> {
        let with_secrets: Vec<_> = (admissions.into_iter())
            .map(|(whose, admission, origin)| {
                let secret = origin.secret.clone().map_or_else(new_secret, Ok);
                (whose, secret, admission, origin)
            })
            .collect();
        let mut table = self.table();
        (with_secrets.into_iter())
            .map(|(whose, secret, admission, origin)| {
                let prepared = secret
                    .map_err(NotOpened::from)
                    .and_then(|secret| prepare(&mut table, secret, admission, origin, now));
                (whose, prepared)
            })
            .collect()
    }

    /// Lets a session live that is stored.
    fn settle(
        &self,
        table: &mut Table,
        (secret, record): Prepared,
        stored: Result<(), WriteError>,
        now: Timestamp,
    ) -> Result<Opened, NotOpened> {
        if let Err(error) = stored {
            table.abandon(&record);
            return Err(error.into());
        }
        let ended = table.insert(Arc::clone(&record), now);
        self.announce(&ended);
        let used = ended.into_iter().filter(|ended| ended.was_claimed);
        Ok(Opened { secret, record, evicted: used.map(|ended| ended.record).collect() })
    }

    /// Whose session it is; counts as a use of it. `client` is the address that presented it.
    ///
    /// # Errors
    /// [`Reason::SessionEnded`], [`Reason::AddressChanged`].
    pub(super) fn resolve(
        &self,
        key: &SessionKey,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Arc<Record>, Reason> {
        self.table().resolve(key, client, now)
    }

    /// Why there is no session of this key any more, where that is still known.
    pub(super) fn ended(&self, key: &SessionKey, now: Timestamp) -> Option<Ended> {
        self.table().ended(key, now)
    }

    /// Sessions that live, in the order in which they were opened: those after
    /// the one with serial `after`, `at_most` so many. No use of them.
    pub(super) fn list(
        &self,
        whose: &Whose,
        after: Option<u64>,
        at_most: usize,
        now: Timestamp,
    ) -> Vec<Seen> {
        self.table().list(whose, after, at_most, now)
    }

    /// The session of a key, if it lives. No use of it.
    pub(super) fn see(&self, key: &SessionKey, now: Timestamp) -> Option<Seen> {
        self.table().see(key, now)
    }

    /// The live sessions that were opened by certificate.
    pub(super) fn certified(&self) -> Vec<Arc<Record>> {
        self.table().certified()
    }

    /// One of those, by its key; not a use of it.
    pub(super) fn certified_one(&self, key: &SessionKey) -> Option<Arc<Record>> {
        self.table().certified_one(key)
    }

    /// Ends a session, if there is one of that key. It is dead before this
    /// first waits; the second value says whether it also stays dead over a
    /// restart already, or only as soon as the store can be written again.
    pub(super) async fn end(
        &self,
        key: &SessionKey,
        why: Ending,
        now: Timestamp,
    ) -> Option<(Arc<Record>, Result<(), WriteError>)> {
        let (ended, recorded) = {
            let mut table = self.table();
            let ended = table.end(key, Ended { why, at: now })?;
            (ended, self.store.change(table.take_changes()))
        };
        self.announce(std::slice::from_ref(&ended));
        Some((ended.record, recorded.await))
    }

    /// Ends what has run out, and has uses recorded. To be called about once a
    /// second. `tell` hears of each session that ended.
    pub(super) fn sweep(&self, now: Timestamp, mut tell: impl FnMut(&Gone)) {
        for _ in 0..SWEEPS {
            let mut table = self.table();
            let ended = table.expire(now, SWEEP);
            self.store.change_soon(table.take_changes());
            drop(table);
            self.announce(&ended);
            ended.iter().for_each(&mut tell);
            if ended.len() < SWEEP {
                return;
            }
        }
    }

    pub(super) fn set_limits(&self, limits: Limits) {
        self.table().set_limits(limits);
    }

    /// How many sessions live.
    pub(super) fn len(&self) -> usize {
        self.table().len()
    }

    pub(super) const fn events(&self) -> &Events {
        &self.events
    }

    fn announce(&self, ended: &[Gone]) {
        for ended in ended {
            self.events.session_ended(ended.record.key);
        }
    }

    /// The table's verbs leave it whole even when one of them panics half way:
    /// at worst a session is missing from an index, and found by the others.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes the record of a session, unless another one has its secret.
fn prepare(
    table: &mut Table,
    secret: SessionSecret,
    admission: Admission,
    origin: Origin,
    now: Timestamp,
) -> Result<Prepared, NotOpened> {
    let key = secret.key();
    if table.is_taken(&key) {
        return Err(NotOpened::SecretTaken);
    }
    Ok((secret, table.prepare(admission, key, origin, now)))
}

/// A secret that nobody proposed.
fn new_secret() -> Result<SessionSecret, WriteError> {
    let mut bits = [0; 32];
    rand::fill(&mut bits).map_err(|_| {
        tracing::error!("the random source of the system failed: nobody can sign on");
        WriteError::Failed
    })?;
    Ok(SessionSecret::from_bits(&bits))
}

/// Sessions that one hold of the lock may end.
const SWEEP: usize = 1024;
/// Such holds in one sweep. What is over counts no more, swept or not; more at once
/// would be more than the audit log can take.
const SWEEPS: usize = 8;

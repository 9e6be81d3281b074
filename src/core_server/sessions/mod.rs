//! All live sessions: in memory for speed, in the store for restarts.
//!
//! A new session is valid only after it is stored. An ended one is invalid at once, and its
//! end is stored as soon as the store allows.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::mpsc;

use super::store::{Change, OpenError, Record, Store, WriteError};
use crate::clock::{self, Timestamp};
use crate::core_server::policy::Limits;
use crate::wire::{Ended, Ending, SessionKey};
use events::Events;
use table::{Table, Unwritten};

pub(in crate::core_server) mod events;
mod listing;
mod opening;
mod reading;
mod table;
#[cfg(test)]
mod tests;

pub(super) use listing::{Cursor, Filter, Snapshot};
pub(super) use opening::{NotOpened, Opened, Origin};
pub(super) use table::EndedSession;

/// See the module.
#[derive(Debug)]
pub(super) struct Sessions {
    table: Mutex<Table>,
    store: Box<dyn Store>,
    /// What other cores do in the store, until somebody follows it.
    changes: Mutex<Option<mpsc::Receiver<Change>>>,
    events: Events,
}

impl Sessions {
    /// Takes up the stored sessions that still live.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(super) async fn start(
        store: Box<dyn Store>,
        limits: Limits,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        // Before it is read, so that nothing is missed in between.
        let changes = Mutex::new(Some(store.changes()));
        let table = Mutex::new(Table::load(store.load().await?, limits, now));
        let sessions = Self { table, store, changes, events: Events::new() };
        sessions.hand_over(&mut sessions.table());
        Ok(sessions)
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
            let Unwritten { uses, ends } = table.take_unwritten();
            self.store.touch(uses);
            (ended, self.store.end(ends))
        };
        self.announce(std::slice::from_ref(&ended));
        Some((ended.record, recorded.await))
    }

    /// Ends what has run out, and has uses recorded. To be called about once a
    /// second. `tell` hears of each session that ended.
    pub(super) fn sweep(&self, now: Timestamp, mut tell: impl FnMut(&EndedSession)) {
        for _ in 0..SWEEPS {
            let mut table = self.table();
            let ended = table.expire(now, SWEEP);
            self.hand_over(&mut table);
            drop(table);
            self.announce(&ended);
            ended.iter().for_each(&mut tell);
            if ended.len() < SWEEP {
                return;
            }
        }
    }

    /// Takes up what other cores do in the store, for as long as it tells. `tell` hears
    /// of each session that is ended here for that.
    pub(super) async fn follow(&self, mut tell: impl FnMut(&EndedSession)) {
        let changes = self.changes.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut changes) = changes else { return };
        while let Some(change) = changes.recv().await {
            self.take_up(change, clock::now()).iter().for_each(&mut tell);
        }
    }

    /// Takes up what another core did. Facts may come late, twice, and in any order.
    fn take_up(&self, change: Change, now: Timestamp) -> Vec<EndedSession> {
        let mut table = self.table();
        let evicted = match change {
            Change::Opened(record) => table.take_up(record, now),
            Change::Used(key, usage) => {
                table.note(&key, usage);
                Vec::new()
            }
            Change::Ended(end) => {
                if table.note_end(&end.key, end.ended).is_some() {
                    self.events.session_ended(end.key);
                }
                Vec::new()
            }
        };
        self.hand_over(&mut table);
        drop(table);
        self.announce(&evicted);
        evicted
    }

    pub(super) const fn events(&self) -> &Events {
        &self.events
    }

    fn announce(&self, ended: &[EndedSession]) {
        for ended in ended {
            self.events.session_ended(ended.record.key);
        }
    }

    /// Has everything stored that the table has collected, within a second or so. The
    /// table is held meanwhile: the order is that in which things happened.
    fn hand_over(&self, table: &mut Table) {
        let Unwritten { uses, ends } = table.take_unwritten();
        if !uses.is_empty() {
            self.store.touch(uses);
        }
        if !ends.is_empty() {
            // Nobody waits for it.
            drop(self.store.end(ends));
        }
    }

    /// The table's verbs leave it whole even when one of them panics half way:
    /// at worst a session is missing from an index, and found by the others.
    fn table(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Sessions that one hold of the lock may end.
const SWEEP: usize = 1024;
/// Such holds in one sweep. What is over is no longer valid, swept or not; more at once
/// would be more than the audit log can take.
const SWEEPS: usize = 8;

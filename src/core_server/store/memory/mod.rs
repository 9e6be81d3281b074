//! A store in memory that several cores share, for tests: it shows that the rules can be
//! held by something other than a database, and that each rule is missed.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;
use crate::clock;

mod tests;

/// What several cores share. A clone is the same place, opened by another core.
#[derive(Debug, Default)]
pub(in crate::core_server) struct Memory {
    shared: Arc<Mutex<Shared>>,
    /// Which of the listeners this one is.
    listener: Mutex<Option<usize>>,
}

#[derive(Debug, Default)]
struct Shared {
    sessions: Vec<Arc<Record>>,
    ends: Vec<End>,
    listeners: Vec<mpsc::Sender<Change>>,
    /// Sessions that fit.
    room: Option<usize>,
    fault: Option<Fault>,
}

/// A rule that is not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NewestFirst,
    OpensTwice,
    NoTombstones,
    TombstonesOfKnownOnly,
    LastEndCounts,
    UseRevives,
    LastUseCounts,
    KeepsAllEnds,
    LosesLazyEnds,
    OpensHalf,
    FullForEnds,
    CopiesUsers,
}

impl Memory {
    /// The same place for another core.
    pub(in crate::core_server) fn again(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), listener: Mutex::default() }
    }

    fn with(fault: Fault) -> Self {
        let memory = Self::default();
        memory.shared().fault = Some(fault);
        memory
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, shared: &Shared, change: &Change) {
        let own = *self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let others = shared.listeners.iter().enumerate().filter(|(other, _)| Some(*other) != own);
        for (_, listener) in others {
            let _gone_or_slow = listener.try_send(change.clone());
        }
    }
}

impl Shared {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    fn is_taken(&self, key: SessionKey) -> bool {
        let live = self.sessions.iter().any(|session| session.key == key);
        let ended = self.ends.iter().any(|end| end.key == key);
        (live || ended) && !(self.has(Fault::OpensTwice) && live)
    }

    fn open(&mut self, records: &[Arc<Record>]) -> Result<Vec<Outcome>, WriteError> {
        let before = self.sessions.len();
        let mut outcomes = Vec::new();
        for record in records {
            let taken = self.is_taken(record.key);
            outcomes.push(if taken { Outcome::Taken } else { Outcome::Opened });
            if !taken {
                self.sessions.push(Arc::clone(record));
            }
        }
        match self.room {
            Some(room) if self.sessions.len() > room => {
                let kept = if self.has(Fault::OpensHalf) { room } else { before };
                self.sessions.truncate(kept);
                Err(WriteError::Full)
            }
            _ => Ok(outcomes),
        }
    }

    fn end(&mut self, end: End) -> Result<(), WriteError> {
        if self.has(Fault::FullForEnds) && self.room == Some(self.sessions.len()) {
            return Err(WriteError::Full);
        }
        let known = self.sessions.len();
        self.sessions.retain(|session| session.key != end.key);
        let known = known != self.sessions.len();
        let over = end.expires_at <= clock::now() && !self.has(Fault::KeepsAllEnds);
        let forgotten = self.has(Fault::NoTombstones)
            || self.has(Fault::TombstonesOfKnownOnly) && !known
            || over;
        let first = self.ends.iter().position(|other| other.key == end.key);
        match first {
            Some(at) if self.has(Fault::LastEndCounts) => self.ends[at] = end,
            Some(_) => {}
            None if forgotten => {}
            None => self.ends.push(end),
        }
        Ok(())
    }

    fn touch(&mut self, key: SessionKey, usage: Usage) {
        if self.has(Fault::UseRevives) {
            self.ends.retain(|end| end.key != key);
        }
        let last = self.has(Fault::LastUseCounts);
        for session in self.sessions.iter_mut().filter(|session| session.key == key) {
            let known = session.usage;
            Arc::make_mut(session).usage = if last { usage } else { known.and(usage) };
        }
    }

    fn load(&self) -> Stored {
        let mut sessions = self.sessions.clone();
        if self.has(Fault::NewestFirst) {
            sessions.reverse();
        }
        if self.has(Fault::CopiesUsers) {
            for session in &mut sessions {
                let user = Arc::new(crate::wire::User::clone(&session.user));
                Arc::make_mut(session).user = user;
            }
        }
        Stored { sessions, ends: self.ends.clone(), skipped: 0 }
    }
}

impl Store for Memory {
    fn load(&self) -> Answer<Result<Stored, OpenError>> {
        let stored = self.shared().load();
        Box::pin(async { Ok(stored) })
    }

    fn open(&self, records: Vec<Arc<Record>>) -> Answer<Result<Vec<Outcome>, WriteError>> {
        let mut shared = self.shared();
        let outcomes = shared.open(&records);
        for (record, outcome) in records.iter().zip(outcomes.iter().flatten()) {
            if *outcome == Outcome::Opened {
                self.tell(&shared, &Change::Opened(Arc::clone(record)));
            }
        }
        Box::pin(async { outcomes })
    }

    fn end(&self, ends: Vec<End>) -> Answer<Result<(), WriteError>> {
        let memory = self.again();
        let own = *self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let end = move || {
            let mut shared = memory.shared();
            *memory.listener.lock().unwrap_or_else(PoisonError::into_inner) = own;
            ends.into_iter().try_for_each(|end| {
                shared.end(end)?;
                memory.tell(&shared, &Change::Ended(end));
                Ok(())
            })
        };
        if self.shared().has(Fault::LosesLazyEnds) {
            return Box::pin(async { end() });
        }
        let ended = end();
        Box::pin(async move { ended })
    }

    fn touch(&self, uses: HashMap<SessionKey, Usage>) {
        let mut shared = self.shared();
        for (key, usage) in uses {
            shared.touch(key, usage);
            self.tell(&shared, &Change::Used(key, usage));
        }
    }

    fn changes(&self) -> mpsc::Receiver<Change> {
        let (listener, changes) = mpsc::channel(1024);
        let mut shared = self.shared();
        let number = shared.listeners.len();
        *self.listener.lock().unwrap_or_else(PoisonError::into_inner) = Some(number);
        shared.listeners.push(listener);
        changes
    }
}

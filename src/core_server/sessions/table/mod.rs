//! The state of all sessions in memory. No I/O and no clock: the time is an argument. It
//! collects what has to be stored, until that is taken.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use crate::clock::Timestamp;
use crate::core_server::policy::Limits;
use crate::core_server::store::{End, Record, Stored, Usage};
use crate::wire::{Ended, Ending, LoginId, SessionKey, User};
use account::Account;
use recent::Recent;

pub(super) mod account;
mod live;
mod recent;

pub(in crate::core_server) use live::EndedSession;
pub(super) use live::Live;

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) limits: Limits,
    pub(super) sessions: HashMap<SessionKey, Live>,
    /// By the moment of their opening; within a second, by their keys.
    pub(super) by_opening: BTreeSet<(Timestamp, SessionKey)>,
    pub(super) accounts: HashMap<Arc<LoginId>, Account>,
    /// Those that were opened by certificate.
    pub(super) certified: HashSet<SessionKey>,
    /// A session is here under a time that is never later than its real deadline; uses
    /// do not touch it, [`Table::expire`] corrects it.
    due: BTreeSet<(Timestamp, SessionKey)>,
    /// Those that are on their way to the disk, and do not live yet.
    prepared: HashSet<SessionKey>,
    recent: Recent,
    next_arrival: u64,
    unwritten: Unwritten,
}

/// What is to be stored besides new sessions.
#[derive(Debug, Default)]
pub(super) struct Unwritten {
    pub(super) uses: HashMap<SessionKey, Usage>,
    pub(super) ends: Vec<End>,
}

impl Table {
    /// Takes up what was stored. Sessions that ended meanwhile, and those
    /// beyond the bound of their user, are ended.
    pub(super) fn load(stored: Stored, limits: Limits, now: Timestamp) -> Self {
        let mut table = Self {
            limits,
            sessions: HashMap::with_capacity(stored.sessions.len()),
            by_opening: BTreeSet::new(),
            accounts: HashMap::new(),
            certified: HashSet::new(),
            due: BTreeSet::new(),
            prepared: HashSet::new(),
            recent: Recent::default(),
            next_arrival: 0,
            unwritten: Unwritten::default(),
        };
        for End { key, ended, .. } in stored.ends {
            table.recent.remember(key, ended);
        }
        for record in stored.sessions {
            table.take_up(record, now);
        }
        table.expire(now, usize::MAX);
        table
    }

    /// What is to be stored since the last call, apart from new sessions.
    pub(super) fn take_unwritten(&mut self) -> Unwritten {
        std::mem::take(&mut self.unwritten)
    }

    /// A session that lives at this moment.
    pub(super) fn live(&self, key: &SessionKey, now: Timestamp) -> Option<&Live> {
        self.sessions.get(key).filter(|live| live.end(&self.limits).at > now)
    }

    /// Why there is no session of this key any more, where that is still known.
    pub(super) fn ended(&self, key: &SessionKey) -> Option<Ended> {
        self.recent.of(key)
    }

    /// Keeps a key for a new session, which does not live yet: either [`Table::insert`]
    /// or [`Table::abandon`] must follow. `None`: the key is taken, by a session or by
    /// one that ended. Else gives the shared copy of its user.
    pub(super) fn prepare(&mut self, key: SessionKey, user: Arc<User>) -> Option<Arc<User>> {
        let taken = self.sessions.contains_key(&key) || self.recent.of(&key).is_some();
        if taken || !self.prepared.insert(key) {
            return None;
        }
        let account = self.accounts.entry(Arc::new(user.login_id.clone())).or_default();
        Some(account.hold(user))
    }

    /// A prepared session is not stored.
    pub(super) fn abandon(&mut self, record: &Record) {
        self.prepared.remove(&record.key);
        self.release(&record.user.login_id, &record.user);
    }

    /// A prepared session lives, unless it was ended meanwhile. Returns those that made
    /// room for it.
    ///
    /// # Errors
    /// It was ended.
    pub(super) fn insert(
        &mut self,
        record: Arc<Record>,
        now: Timestamp,
    ) -> Result<Vec<EndedSession>, Ended> {
        if let Some(ended) = self.recent.of(&record.key) {
            self.abandon(&record);
            return Err(ended);
        }
        self.prepared.remove(&record.key);
        let name = record.user.login_id.clone();
        let mut evicted = Vec::new();
        while let Some(account) = self.accounts.get(&name)
            && account.sessions() >= self.limits.per_user.max(1)
            && let Some(key) = account.eviction_candidate(now)
        {
            evicted.extend(self.end(&key, Ended { why: Ending::Displaced, at: now }));
        }
        // It was held when it was prepared, so it is there; and it holds the name once.
        let Some((name, _)) = self.accounts.get_key_value(&name) else { return Ok(evicted) };
        let name = Arc::clone(name);
        let (key, arrival) = (record.key, self.next_arrival);
        self.next_arrival += 1;
        if let Some(account) = self.accounts.get_mut(&name) {
            account.add(arrival, record.usage, key);
        }
        self.by_opening.insert((record.opened_at, key));
        if record.public_key.is_some() {
            self.certified.insert(key);
        }
        let live = Live::new(record, name, arrival, &self.limits, now);
        self.due.insert((live.due, key));
        self.sessions.insert(key, live);
        Ok(evicted)
    }

    /// A session lives that is stored already. Nothing happens where it is known.
    pub(super) fn take_up(&mut self, mut record: Arc<Record>, now: Timestamp) -> Vec<EndedSession> {
        let Some(user) = self.prepare(record.key, Arc::clone(&record.user)) else {
            return Vec::new();
        };
        if !Arc::ptr_eq(&user, &record.user) {
            Arc::make_mut(&mut record).user = user;
        }
        self.insert(record, now).unwrap_or_default()
    }

    /// Notes a use, if there is a session of that key; what is new by it.
    pub(super) fn note(&mut self, key: &SessionKey, usage: Usage) -> Option<Usage> {
        let live = self.sessions.get_mut(key)?;
        let usage = live.usage.and(usage);
        if usage == live.usage {
            return None;
        }
        if let Some(account) = self.accounts.get_mut(&live.name) {
            account.remove(live.arrival, live.usage);
            account.add(live.arrival, usage, *key);
        }
        live.usage = usage;
        Some(usage)
    }

    /// Notes a use, and has it stored.
    pub(super) fn touch(&mut self, key: &SessionKey, usage: Usage) {
        if let Some(usage) = self.note(key, usage) {
            self.unwritten.uses.insert(*key, usage);
        }
    }

    /// Notes an end that is stored already, even of a session that is not here.
    pub(super) fn note_end(&mut self, key: &SessionKey, ended: Ended) -> Option<Live> {
        self.recent.remember(*key, ended);
        self.remove(key)
    }

    /// Ends a session, if there is one, and has that stored.
    pub(super) fn end(&mut self, key: &SessionKey, ended: Ended) -> Option<EndedSession> {
        let live = self.remove(key)?;
        self.recent.remember(*key, ended);
        self.unwritten.ends.push(live.ended(ended));
        Some(EndedSession { record: live.record, was_claimed: live.usage.claimed, why: ended.why })
    }

    fn remove(&mut self, key: &SessionKey) -> Option<Live> {
        let live = self.sessions.remove(key)?;
        self.due.remove(&(live.due, *key));
        self.by_opening.remove(&(live.record.opened_at, *key));
        self.certified.remove(key);
        if let Some(account) = self.accounts.get_mut(&live.name) {
            account.remove(live.arrival, live.usage);
        }
        self.unwritten.uses.remove(key);
        self.release(&live.name, &live.record.user);
        Some(live)
    }

    /// Ends sessions whose time is over, `at_most` so many.
    pub(super) fn expire(&mut self, now: Timestamp, at_most: usize) -> Vec<EndedSession> {
        let mut ended = Vec::new();
        while ended.len() < at_most
            && let Some(&(due, key)) = self.due.first()
            && due <= now
        {
            let Some(live) = self.sessions.get_mut(&key) else {
                self.due.pop_first();
                continue;
            };
            let end = live.end(&self.limits);
            if end.at <= now {
                ended.extend(self.end(&key, end));
            } else {
                live.due = end.at;
                self.due.pop_first();
                self.due.insert((end.at, key));
            }
        }
        ended
    }

    /// New limits hold for the sessions that live, too.
    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.due.clear();
        for (key, live) in &mut self.sessions {
            live.due = live.end(&limits).at;
            self.due.insert((live.due, *key));
        }
    }

    fn release(&mut self, name: &LoginId, user: &Arc<User>) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        account.release(user);
        if account.is_empty() {
            self.accounts.remove(name);
        }
    }
}

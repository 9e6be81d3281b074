//! All live sessions in memory. No I/O and no clock: the time is an argument.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use super::account::Account;
use super::recent::Recent;
use crate::clock::Timestamp;
use crate::core_server::request::admit::Admission;
use crate::core_server::store::{Changes, Record, Usage};
use crate::wire::mechanism::EndsWith;
use crate::wire::{Ended, Ending, LoginId, Reason, SessionKey, SessionSecret};

mod listing;

pub(in crate::core_server) use listing::{Seen, Whose};

/// How long sessions live, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Limits {
    /// A session unused for so long ends.
    pub(in crate::core_server) timeout: Duration,
    /// A session whose secret never came back ends after this.
    pub(in crate::core_server) unclaimed: Duration,
    /// No session lives longer than this.
    pub(in crate::core_server) lifetime: Duration,
    /// Sessions of one user at once; 0 counts as 1.
    pub(in crate::core_server) per_user: usize,
}

/// Where a session comes from.
#[derive(Clone, Debug, Default)]
pub(in crate::core_server) struct Origin {
    /// The peer that opens it, in the words of the audit log.
    pub(in crate::core_server) by: Arc<str>,
    /// The client's address, as that peer tells it.
    pub(in crate::core_server) client: Option<IpAddr>,
    /// The only address it may be used from.
    pub(in crate::core_server) only_from: Option<IpAddr>,
    /// The secret that the peer proposes.
    pub(in crate::core_server) secret: Option<SessionSecret>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Table {
    limits: Limits,
    sessions: HashMap<SessionKey, Live>,
    /// In the order in which they were opened.
    serials: BTreeMap<u64, SessionKey>,
    accounts: HashMap<Arc<LoginId>, Account>,
    /// A session stands here under a time that is never later than its real
    /// deadline; uses do not touch it, [`Table::expire`] corrects it.
    due: BTreeSet<(Timestamp, SessionKey)>,
    /// Those that were opened by certificate.
    certified: HashSet<SessionKey>,
    /// Those that are on their way to the disk, and do not live yet.
    prepared: HashSet<SessionKey>,
    recent: Recent,
    next_serial: u64,
    next_user_id: u64,
    changes: Changes,
}

#[derive(Debug)]
struct Live {
    record: Arc<Record>,
    name: Arc<LoginId>,
    usage: Usage,
    /// The time to claim it counts from here: its beginning, or the start of the core.
    waits_since: Timestamp,
    due: Timestamp,
    /// Why it ends at `expires_at`, used or not.
    latest: Ending,
}

impl Live {
    fn deadline(&self, limits: &Limits) -> Timestamp {
        self.end(limits).at
    }

    /// When it ends if it is not used any more, and why.
    fn end(&self, limits: &Limits) -> Ended {
        let unused = if self.usage.claimed {
            Ended { why: Ending::Idle, at: self.usage.last_used.plus(limits.timeout) }
        } else {
            let waits = limits.unclaimed.min(limits.timeout);
            Ended { why: Ending::Unclaimed, at: self.waits_since.plus(waits) }
        };
        let at = self.record.expires_at;
        if at < unused.at { Ended { why: self.latest, at } } else { unused }
    }
}

impl Table {
    /// Takes up what was stored. Sessions that ended meanwhile, and those
    /// beyond the bound of their user, are ended.
    pub(super) fn load(records: Vec<Record>, limits: Limits, now: Timestamp) -> Self {
        let mut table = Self {
            limits,
            sessions: HashMap::with_capacity(records.len()),
            serials: BTreeMap::new(),
            accounts: HashMap::new(),
            due: BTreeSet::new(),
            certified: HashSet::new(),
            prepared: HashSet::new(),
            recent: Recent::default(),
            next_serial: records.iter().map(|record| record.serial + 1).max().unwrap_or(0),
            next_user_id: records.iter().map(|record| record.user_id + 1).max().unwrap_or(0),
            changes: Changes::default(),
        };
        for record in records {
            let name = record.user.login_id.clone();
            let account = table.accounts.entry(Arc::new(name)).or_default();
            account.restore(&record.user, record.user_id);
            table.insert(Arc::new(record), now);
        }
        table.expire(now, usize::MAX);
        table
    }

    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// What is to be written since the last call, apart from new sessions.
    pub(super) fn take_changes(&mut self) -> Changes {
        std::mem::take(&mut self.changes)
    }

    /// Whether a session has this key, or is going to have it.
    pub(super) fn is_taken(&self, key: &SessionKey) -> bool {
        self.sessions.contains_key(key) || self.prepared.contains(key)
    }

    /// Makes the record of a new session, which is not live yet: either
    /// [`Table::insert`] or [`Table::abandon`] must follow.
    pub(super) fn prepare(
        &mut self,
        admission: Admission,
        key: SessionKey,
        origin: Origin,
        now: Timestamp,
    ) -> Arc<Record> {
        let impersonator = admission.impersonator().map(ToString::to_string);
        let (user, facts, expires_at) = admission.into_parts();
        let account = self.accounts.entry(Arc::new(user.login_id.clone())).or_default();
        let (user_id, user) = account.hold(Arc::new(user), self.next_user_id);
        self.next_user_id = self.next_user_id.max(user_id + 1);
        let serial = self.next_serial;
        self.next_serial += 1;
        self.prepared.insert(key);
        Arc::new(Record {
            serial,
            key,
            user_id,
            user,
            mechanism: facts.mechanism,
            principal: facts.principal,
            typed: facts.typed,
            public_key: facts.public_key,
            channel_bound: facts.channel_bound,
            opened_at: now,
            expires_at,
            only_from: origin.only_from,
            opened_by: origin.by,
            impersonator,
            client: origin.client,
            usage: Usage { last_used: now, claimed: false },
        })
    }

    /// A prepared session could not be stored.
    pub(super) fn abandon(&mut self, record: &Record) {
        self.prepared.remove(&record.key);
        self.release(&record.user.login_id, record.user_id);
    }

    /// A prepared session lives. Returns those that made room for it.
    pub(super) fn insert(&mut self, record: Arc<Record>, now: Timestamp) -> Vec<Gone> {
        self.prepared.remove(&record.key);
        let name = record.user.login_id.clone();
        let mut gone = Vec::new();
        while let Some(account) = self.accounts.get(&name)
            && account.sessions() >= self.limits.per_user.max(1)
            && let Some(key) = account.eviction_candidate(now)
        {
            gone.extend(self.end(&key, Ended { why: Ending::Displaced, at: now }));
        }
        // It was held by prepare or load, so it is there; and it holds the name once.
        let Some((name, _)) = self.accounts.get_key_value(&name) else { return gone };
        let name = Arc::clone(name);
        let (key, usage) = (record.key, record.usage);
        if let Some(account) = self.accounts.get_mut(&name) {
            account.add(record.serial, usage, key);
        }
        let latest = latest(&record, &self.limits);
        let mut live = Live { record, name, usage, waits_since: now, due: now, latest };
        live.due = live.deadline(&self.limits);
        self.due.insert((live.due, key));
        self.serials.insert(live.record.serial, key);
        if live.record.public_key.is_some() {
            self.certified.insert(key);
        }
        self.sessions.insert(key, live);
        gone
    }

    /// The session of a key; this counts as a use of it.
    ///
    /// # Errors
    /// [`Reason::SessionEnded`], [`Reason::AddressChanged`].
    pub(super) fn resolve(
        &mut self,
        key: &SessionKey,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Arc<Record>, Reason> {
        let live = self.sessions.get_mut(key).ok_or(Reason::SessionEnded)?;
        if live.deadline(&self.limits) <= now {
            return Err(Reason::SessionEnded);
        }
        if live.record.only_from.is_some() && live.record.only_from != client {
            return Err(Reason::AddressChanged);
        }
        let usage = Usage { last_used: now.max(live.usage.last_used), claimed: true };
        if usage != live.usage {
            if let Some(account) = self.accounts.get_mut(&live.name) {
                account.remove(live.record.serial, live.usage);
                account.add(live.record.serial, usage, *key);
            }
            live.usage = usage;
            self.changes.used.insert(live.record.serial, usage);
        }
        Ok(Arc::clone(&live.record))
    }

    /// Why there is no session of this key any more, where that is still known.
    pub(super) fn ended(&self, key: &SessionKey, now: Timestamp) -> Option<Ended> {
        let due = self.sessions.get(key).map(|live| live.end(&self.limits));
        due.filter(|end| end.at <= now).or_else(|| self.recent.of(key))
    }

    /// The sessions that were opened by certificate.
    pub(super) fn certified(&self) -> Vec<Arc<Record>> {
        self.certified.iter().filter_map(|key| self.certified_one(key)).collect()
    }

    /// One of those, by its key.
    pub(super) fn certified_one(&self, key: &SessionKey) -> Option<Arc<Record>> {
        let live = self.sessions.get(key).filter(|live| live.record.public_key.is_some())?;
        Some(Arc::clone(&live.record))
    }

    /// Ends a session, if there is one.
    pub(super) fn end(&mut self, key: &SessionKey, ended: Ended) -> Option<Gone> {
        let live = self.sessions.remove(key)?;
        self.due.remove(&(live.due, *key));
        self.serials.remove(&live.record.serial);
        self.certified.remove(key);
        if let Some(account) = self.accounts.get_mut(&live.name) {
            account.remove(live.record.serial, live.usage);
        }
        self.changes.used.remove(&live.record.serial);
        self.changes.ended.push(live.record.serial);
        self.release(&live.name, live.record.user_id);
        self.recent.remember(*key, ended);
        Some(Gone { record: live.record, was_claimed: live.usage.claimed, why: ended.why })
    }

    /// Ends sessions whose time is over, `at_most` so many.
    pub(super) fn expire(&mut self, now: Timestamp, at_most: usize) -> Vec<Gone> {
        let mut gone = Vec::new();
        while gone.len() < at_most
            && let Some(&(due, key)) = self.due.first()
            && due <= now
        {
            let Some(live) = self.sessions.get_mut(&key) else {
                self.due.pop_first();
                continue;
            };
            let end = live.end(&self.limits);
            if end.at <= now {
                gone.extend(self.end(&key, end));
            } else {
                live.due = end.at;
                self.due.pop_first();
                self.due.insert((end.at, key));
            }
        }
        gone
    }

    /// New limits hold for the sessions that live, too.
    pub(super) fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
        self.due.clear();
        for (key, live) in &mut self.sessions {
            live.due = live.deadline(&limits);
            self.due.insert((live.due, *key));
        }
    }

    fn release(&mut self, name: &LoginId, user_id: u64) {
        let Some(account) = self.accounts.get_mut(name) else { return };
        if account.release(user_id) {
            self.changes.forgotten.push(user_id);
        }
        if account.is_empty() {
            self.accounts.remove(name);
        }
    }
}

/// Why a session ends at the moment that was set when it was opened: with what
/// proved its owner, or because no session lives longer.
fn latest(record: &Record, limits: &Limits) -> Ending {
    if record.expires_at >= record.opened_at.plus(limits.lifetime) {
        return Ending::Lifetime;
    }
    match record.mechanism.row().ends_with {
        EndsWith::Ticket => Ending::TicketEnd,
        EndsWith::Certificate => Ending::CertificateEnd,
        EndsWith::Nothing => Ending::Lifetime,
    }
}

/// A session that lives no more.
#[derive(Debug)]
pub(in crate::core_server) struct Gone {
    pub(in crate::core_server) record: Arc<Record>,
    pub(in crate::core_server) was_claimed: bool,
    pub(in crate::core_server) why: Ending,
}

use std::sync::Arc;

use crate::clock::Timestamp;
use crate::core_server::policy::Limits;
use crate::core_server::store::{End, Record, Usage};
use crate::wire::mechanism::EndsWith;
use crate::wire::{Ended, Ending, LoginId};

/// A session that lives.
#[derive(Debug)]
pub(in crate::core_server::sessions) struct Live {
    pub(in crate::core_server::sessions) record: Arc<Record>,
    pub(in crate::core_server::sessions) usage: Usage,
    pub(super) name: Arc<LoginId>,
    /// Counts up with every session that this core hears of.
    pub(super) arrival: u64,
    /// Where it is among those that are due.
    pub(super) due: Timestamp,
    /// The time to claim it counts from here: its beginning, or the start of the core.
    waits_since: Timestamp,
    /// Why it ends at `expires_at`, used or not.
    latest: Ending,
}

/// A session that this core has ended.
#[derive(Debug)]
pub(in crate::core_server) struct EndedSession {
    pub(in crate::core_server) record: Arc<Record>,
    pub(in crate::core_server) was_claimed: bool,
    pub(in crate::core_server) why: Ending,
}

impl Live {
    pub(super) fn new(
        record: Arc<Record>,
        name: Arc<LoginId>,
        arrival: u64,
        limits: &Limits,
        now: Timestamp,
    ) -> Self {
        let (usage, latest) = (record.usage, latest(&record, limits));
        let mut live = Self { record, usage, name, arrival, due: now, waits_since: now, latest };
        live.due = live.end(limits).at;
        live
    }

    /// When it ends if it is not used any more, and why.
    pub(in crate::core_server::sessions) fn end(&self, limits: &Limits) -> Ended {
        let unused = if self.usage.claimed {
            Ended { why: Ending::Idle, at: self.usage.last_used.plus(limits.timeout) }
        } else {
            let waits = limits.unclaimed.min(limits.timeout);
            Ended { why: Ending::Unclaimed, at: self.waits_since.plus(waits) }
        };
        let at = self.record.expires_at;
        if at < unused.at { Ended { why: self.latest, at } } else { unused }
    }

    /// What the store keeps of its end.
    pub(super) fn ended(&self, ended: Ended) -> End {
        End { key: self.record.key, ended, expires_at: self.record.expires_at }
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

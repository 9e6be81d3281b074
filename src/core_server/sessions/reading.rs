//! What is asked of sessions that live, and of those that did.

use std::net::IpAddr;
use std::sync::Arc;

use super::Sessions;
use crate::clock::Timestamp;
use crate::core_server::policy::Limits;
use crate::core_server::store::{Record, Usage};
use crate::wire::{Ended, Reason, SessionKey};

impl Sessions {
    /// Whose session it is; counts as a use of it. `client` is the address that presented it.
    ///
    /// # Errors
    /// [`Reason::SessionEnded`], [`Reason::AddressChanged`].
    pub(in crate::core_server) fn resolve(
        &self,
        key: &SessionKey,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Arc<Record>, Reason> {
        let mut table = self.table();
        let live = table.live(key, now).ok_or(Reason::SessionEnded)?;
        if live.record.only_from.is_some() && live.record.only_from != client {
            return Err(Reason::AddressChanged);
        }
        let record = Arc::clone(&live.record);
        if !live.usage.claimed || live.usage.last_used < now {
            table.touch(key, Usage { last_used: now, claimed: true });
        }
        Ok(record)
    }

    /// Why there is no session of this key any more, where that is still known.
    pub(in crate::core_server) fn ended(&self, key: &SessionKey, now: Timestamp) -> Option<Ended> {
        let table = self.table();
        // It may be over, and not be swept yet.
        let due = table.sessions.get(key).map(|live| live.end(&table.limits));
        due.filter(|end| end.at <= now).or_else(|| table.ended(key))
    }

    /// The live sessions that were opened by certificate.
    pub(in crate::core_server) fn certified(&self) -> Vec<Arc<Record>> {
        let table = self.table();
        let live = table.certified.iter().filter_map(|key| table.sessions.get(key));
        live.map(|live| Arc::clone(&live.record)).collect()
    }

    /// One of those, by its key; not a use of it.
    pub(in crate::core_server) fn certified_one(&self, key: &SessionKey) -> Option<Arc<Record>> {
        let table = self.table();
        let live = table.sessions.get(key).filter(|live| live.record.public_key.is_some())?;
        Some(Arc::clone(&live.record))
    }

    /// How many sessions live.
    pub(in crate::core_server) fn len(&self) -> usize {
        self.table().sessions.len()
    }

    /// New limits hold for the sessions that live, too.
    pub(in crate::core_server) fn set_limits(&self, limits: Limits) {
        self.table().set_limits(limits);
    }
}

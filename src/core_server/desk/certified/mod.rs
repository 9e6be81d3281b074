//! Sessions that were opened by certificate end with the key that opened them: the core checks one
//! whenever it is resolved, and all of them each second.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::audit::{Happening, Line};
use crate::clock::{self, Timestamp};
use crate::core_server::peer::keys::{Entitled, KeyRules};
use crate::core_server::policy::Policy;
use crate::core_server::store::Record;
use crate::core_server::{Core, of_record};
use crate::identity::{Via, identify};
use crate::pki::peer::peer_keys::Listed;
use crate::wire::{Denied, Ending, Reason, SessionKey};

#[cfg(test)]
mod tests;

impl Core {
    /// What the keys of `sslkeys_path` may do at this moment.
    pub(in crate::core_server) fn keys(&self) -> Arc<KeyRules> {
        Arc::clone(&self.policy.load().keys)
    }

    /// What stands in `sslkeys_path`; `None` where it cannot be looked at in time.
    pub(in crate::core_server) async fn listed(
        &self,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Arc<Listed>> {
        let keys = Arc::clone(&policy.keys);
        let looked = timeout(LOOKING, spawn_blocking(move || keys.listed(now))).await;
        if !matches!(looked, Ok(Ok(_))) {
            tracing::error!("sslkeys_path could not be read in time");
        }
        looked.ok()?.ok()
    }

    /// Ends the session of an id if it was opened with a key that counts no
    /// more, or not from this address. It must not be resolved before.
    pub(in crate::core_server) async fn end_if_fallen(
        &self,
        id: &str,
        client: Option<IpAddr>,
        now: Timestamp,
    ) {
        if let Some(record) = self.sessions.certified_one(&SessionKey::of(id)) {
            self.end_fallen(vec![record], client, now).await;
        }
    }

    /// Ends the sessions of keys that count no more, each second.
    pub(in crate::core_server) async fn watch_keys(self: Arc<Self>) {
        loop {
            clock::pause(EVERY).await;
            let certified = self.sessions.certified();
            if !certified.is_empty() {
                self.end_fallen(certified, None, clock::now()).await;
            }
        }
    }

    async fn end_fallen(
        &self,
        certified: Vec<Arc<Record>>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) {
        let policy = self.policy.load_full();
        let listed = self.listed(&policy, now).await;
        for record in certified {
            let stands = match &listed {
                Some(listed) => stands(&record, listed, client, &policy, now),
                None => Err(Denied::new(Reason::PublicKeyNotListed, "sslkeys_path cannot be read")),
            };
            let Err(refused) = stands else { continue };
            // Dead at once; that it stays so is written as soon as the disk allows.
            let Some((record, _)) = self.sessions.end(&record.key, Ending::Key, now).await else {
                continue;
            };
            self.audit.write(&Line {
                reason: Some(refused.reason),
                detail: Some(&refused.detail),
                ..of_record(Happening::SessionEnd, &record, &record.key.short())
            });
        }
    }
}

/// Whether the key of a session would still sign on the same user.
fn stands(
    record: &Record,
    listed: &Listed,
    client: Option<IpAddr>,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Denied> {
    let key = record.public_key.as_deref().unwrap_or_default();
    let holder = policy.keys.entitled(listed, key, client, now).and_then(Entitled::holder)?;
    let identity = identify(holder.user.login(), Via::Trusted, &policy.identity);
    match identity {
        Ok(identity) if *identity.login_id() == record.user.login_id => Ok(()),
        Ok(_) => Err(Denied::new(
            Reason::PublicKeyScope,
            format!("{} now signs on {}", holder.file, holder.user),
        )),
        Err(reason) => Err(Denied::new(reason, holder.file)),
    }
}

/// How often all keys are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// A folder that cannot be looked at within this time holds no key.
const LOOKING: Duration = Duration::from_secs(5);

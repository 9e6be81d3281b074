//! Sessions that were opened by certificate end with the key that opened them: the core checks one
//! whenever it is resolved, and all of them each second.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock::{self, Timestamp};
use crate::core_server::Core;
use crate::core_server::peer::keys::{KeyGrant, KeyRules};
use crate::core_server::policy::Policy;
use crate::core_server::store::Record;
use crate::identity::{Via, identify};
use crate::pki::peer::peer_keys::Listed;
use crate::wire::Denied;
use crate::wire::{Ending, Reason};

#[cfg(test)]
mod tests;

impl Core {
    /// What the keys of `sslkeys_path` may do at this moment.
    pub(in crate::core_server) fn keys(&self) -> Arc<KeyRules> {
        Arc::clone(&self.policy.load().keys)
    }

    /// What is in `sslkeys_path`; `None` where it cannot be looked at in time.
    pub(in crate::core_server) async fn listed(
        &self,
        policy: &Policy,
        now: Timestamp,
    ) -> Option<Arc<Listed>> {
        let keys = Arc::clone(&policy.keys);
        let looked = timeout(READ_TIMEOUT, spawn_blocking(move || keys.listed(now))).await;
        if !matches!(looked, Ok(Ok(_))) {
            tracing::error!("sslkeys_path could not be read in time");
        }
        looked.ok()?.ok()
    }

    /// Ends the sessions of keys that count no more, each second. What was begun is
    /// done to its end before `stop` counts.
    pub(in crate::core_server) async fn watch_keys(self: Arc<Self>, stop: CancellationToken) {
        while stop.run_until_cancelled(clock::pause(EVERY)).await.is_some() {
            let certified = self.sessions.certified();
            if !certified.is_empty() {
                self.end_revoked(certified, None, clock::now()).await;
            }
        }
    }

    /// Ends those of these sessions that were opened with a key that counts no
    /// more, or not from the address of this client. A session is not resolved
    /// before. Must be awaited to its end: with the end goes a line in the audit log.
    pub(super) async fn end_revoked(
        &self,
        certified: Vec<Arc<Record>>,
        client: Option<IpAddr>,
        now: Timestamp,
    ) {
        let policy = self.policy.load_full();
        let listed = self.listed(&policy, now).await;
        for record in certified {
            let signs_on = match &listed {
                Some(listed) => still_signs_on(&record, listed, client, &policy, now),
                None => Err(Denied::new(Reason::PublicKeyNotListed, "sslkeys_path cannot be read")),
            };
            let Err(denied) = signs_on else { continue };
            // Dead at once; that it stays so is written as soon as the disk allows.
            let Some((record, _)) = self.sessions.end(&record.key, Ending::Key, now).await else {
                continue;
            };
            self.audit_revoked(&record, &denied);
        }
    }
}

/// Whether the key of a session would still sign on the same user.
fn still_signs_on(
    record: &Record,
    listed: &Listed,
    client: Option<IpAddr>,
    policy: &Policy,
    now: Timestamp,
) -> Result<(), Denied> {
    let Some(public_key) = record.public_key else {
        return Err(Denied::new(Reason::PublicKeyNotListed, "the session has no key"));
    };
    let user = policy.keys.grant(listed, public_key, client, now).and_then(KeyGrant::user)?;
    let identity = identify(user.user.login(), Via::Trusted, &policy.identity);
    match identity {
        Ok(identity) if *identity.login_id() == record.user.login_id => Ok(()),
        Ok(_) => Err(Denied::new(
            Reason::PublicKeyScope,
            format!("{} now signs on {}", user.file, user.user),
        )),
        Err(reason) => Err(Denied::new(reason, user.file.to_string())),
    }
}

/// How often all keys are looked at.
const EVERY: Duration = Duration::from_secs(1);
/// A folder that cannot be looked at within this time holds no key.
const READ_TIMEOUT: Duration = Duration::from_secs(5);

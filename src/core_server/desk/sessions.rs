//! What bearers and administrators do with a session that is open.

use std::net::IpAddr;
use std::sync::Arc;

use super::Desk;
use super::lists::entry;
use crate::clock::{self, Timestamp};
use crate::core_server::Core;
use crate::core_server::peer::Peer;
use crate::core_server::policy::Policy;
use crate::core_server::refusal::Refusal;
use crate::core_server::rights::{
    Action, EndAsBearer, EndSession, Ends, Permit, Resolve, SeeSession,
};
use crate::core_server::store::Record;
use crate::wire::admin::SessionEntry;
use crate::wire::{Reason, Session, SessionKey, SessionSecret, User};

impl Desk {
    /// Whose session a secret is for; counts as a use of it. `client`: the address
    /// that presented it.
    pub(in crate::core_server) async fn resolve(
        &self,
        secret: String,
        client: Result<Option<IpAddr>, Refusal>,
    ) -> Result<Session, Refusal> {
        let permit = self.permit(Resolve)?;
        let (client, now) = (self.client(client?), clock::now());
        let secret = SessionSecret::try_from(secret).map_err(|_| Refusal::end_of_session())?;
        let key = secret.key();
        // A key is looked at before the session that it opened is used.
        if let Some(record) = self.core.sessions.certified_one(&key) {
            let core = Arc::clone(&self.core);
            let look = async move { core.end_revoked(vec![record], client, now).await };
            Self::uncancelled(look).await?;
        }
        match self.core.resolve(&permit, &key, client, now) {
            Ok(record) => Ok(session(secret, &record, &self.core.policy.load())),
            Err(reason) => {
                // Whoever knows the secret was its bearer.
                let ended = self.core.sessions.ended(&key, now);
                let refusal = Refusal::end_of_session().because(ended);
                Err(if self.may(Action::OpenByProof) {
                    refusal.with_reason(reason)
                } else {
                    refusal
                })
            }
        }
    }

    /// Ends a session whose secret the peer has.
    pub(in crate::core_server) async fn end(&self, secret: &str) -> Result<(), Refusal> {
        let key = SessionSecret::read(secret).map(|secret| secret.key());
        let permit = self.permit(EndAsBearer(key))?;
        self.end_permitted(permit).await
    }

    /// Ends a session by its id in lists.
    pub(in crate::core_server) async fn end_listed(&self, key: SessionKey) -> Result<(), Refusal> {
        let owner = self.core.owner(&key);
        let permit = self.permit(EndSession { key, owner })?;
        self.end_permitted(permit).await
    }

    /// Shows a session by its id in lists. No use of it.
    pub(in crate::core_server) fn see(&self, key: SessionKey) -> Result<SessionEntry, Refusal> {
        let owner = self.core.owner(&key);
        let permit = self.permit(SeeSession { key, owner })?;
        self.core.see(&permit).ok_or_else(Refusal::end_of_session)
    }

    async fn end_permitted<A: Ends + Send + Sync + 'static>(
        &self,
        permit: Permit<A>,
    ) -> Result<(), Refusal> {
        let (core, peer) = (Arc::clone(&self.core), Arc::clone(&self.peer));
        Self::uncancelled(async move { core.end(&permit, &peer).await }).await?
    }
}

impl Core {
    fn resolve(
        &self,
        _permit: &Permit<Resolve>,
        key: &SessionKey,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Arc<Record>, Reason> {
        self.sessions.resolve(key, client, now)
    }

    fn owner(&self, key: &SessionKey) -> Option<Arc<User>> {
        self.sessions.see(key, clock::now()).map(|seen| Arc::clone(&seen.record.user))
    }

    fn see(&self, permit: &Permit<SeeSession>) -> Option<SessionEntry> {
        self.sessions.see(&permit.action().key, clock::now()).as_ref().map(entry)
    }

    async fn end<A: Ends>(&self, permit: &Permit<A>, peer: &Peer) -> Result<(), Refusal> {
        let key = permit.action().key().ok_or_else(Refusal::end_of_session)?;
        let ended = self.sessions.end(&key, A::WHY, clock::now()).await;
        let (record, recorded) = ended.ok_or_else(Refusal::end_of_session)?;
        let refusal = recorded.map_err(|error| (error, Refusal::unrecorded(error))).err();
        let unrecorded = refusal.as_ref().map(|(error, refusal)| (*error, &*refusal.reference));
        self.audit_end(peer, &record, A::WHY, unrecorded);
        refusal.map_or(Ok(()), |(_, refusal)| Err(refusal))
    }
}

/// A session as its bearer is told of it.
pub(super) fn session(secret: SessionSecret, record: &Record, policy: &Policy) -> Session {
    Session {
        session: secret,
        user: Arc::clone(&record.user),
        mechanism: record.mechanism,
        principal: record.principal.clone(),
        typed: record.typed.clone(),
        public_key: record.public_key,
        channel_bound: record.channel_bound,
        expires_at: record.expires_at,
        only_from: record.only_from,
        home_server: policy.server_name.clone(),
        redirect: None,
    }
}

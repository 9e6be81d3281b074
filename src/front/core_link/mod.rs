//! Asks the core, caches its grants for seconds, and receives ends of sessions.
//!
//! A grant is served from memory; used ones are fetched again in the background, so a session that
//! ended is forgotten with the core's event, and within [`GRANT_LIFETIME`] even when events are
//! lost.

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use self::attempts::AttemptQueue;
use self::proofs::Proofs;
use self::tunnels::Tunnels;
use crate::clock;
use crate::config::section::CoreAddress;
use crate::core_client::{Client, ClientError};
use crate::front::metrics::FrontMetrics;
use crate::mechanism::Proof;
use crate::wire::{Ended, ErrorWord, OpenSession, Password, Reason, SessionKey, SessionSecret};

mod attempts;
mod events;
mod grant;
mod proofs;
#[cfg(test)]
mod tests;
mod tunnels;

pub(in crate::front) use grant::{Grant, Issued, Unsendable};

/// A grant older than this is never used without asking the core again.
pub(in crate::front) const GRANT_LIFETIME: Duration = Duration::from_secs(15);
/// A grant older than this is asked for anew in the background when it is used.
pub(super) const REFRESH_AFTER: Duration = Duration::from_secs(5);
/// Grants at hand at most.
const GRANTS: u64 = 200_000;
/// Passwords that may wait for the core at once.
const PASSWORDS: usize = 256;

/// Why the core gave no grant.
#[derive(Clone, Debug)]
pub(in crate::front) struct NoGrant {
    /// The reason, for page, metrics and audit.
    pub reason: Reason,
    /// What is in the log of the core or of this front.
    pub detail: String,
    /// Why and when the session ended, where the core still knows.
    pub ended: Option<Ended>,
}

impl NoGrant {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), ended: None }
    }
}

type Answer = Result<Grant, NoGrant>;

/// The front's one line to the core.
#[derive(Debug)]
pub(in crate::front) struct CoreLink {
    client: Arc<Client>,
    /// Apart, because a wrong password is answered late on purpose.
    passwords: Client,
    waiting_passwords: Semaphore,
    grants: moka::sync::Cache<SessionKey, Grant>,
    proofs: Proofs,
    attempts: AttemptQueue,
    tunnels: Tunnels,
    ends: AtomicU64,
    metrics: Arc<FrontMetrics>,
    stop: CancellationToken,
}

impl CoreLink {
    /// Starts the tasks that carry proofs and hear events; they end with `stop`.
    pub(in crate::front) fn start(
        address: CoreAddress,
        metrics: Arc<FrontMetrics>,
        stop: CancellationToken,
    ) -> Arc<Self> {
        let passwords = Client::patient(address.clone());
        let client = Arc::new(Client::new(address));
        let link = Arc::new(Self {
            proofs: Proofs::start(Arc::clone(&client)),
            attempts: AttemptQueue::start(Arc::clone(&client)),
            client,
            passwords,
            waiting_passwords: Semaphore::new(PASSWORDS),
            grants: moka::sync::Cache::builder()
                .max_capacity(GRANTS)
                .time_to_live(GRANT_LIFETIME)
                .build(),
            tunnels: Tunnels::default(),
            ends: AtomicU64::new(0),
            metrics,
            stop: stop.clone(),
        });
        tokio::spawn(stop.run_until_cancelled_owned(events::hear(Arc::clone(&link))));
        link
    }

    /// Opens a session of this secret for what a mechanism has proven.
    ///
    /// # Errors
    /// The core refuses, is busy, or does not answer.
    pub(in crate::front) async fn sign_on(
        &self,
        proof: Proof,
        client: IpAddr,
        secret: SessionSecret,
    ) -> Answer {
        self.proofs.submit(proof, client, secret).await
    }

    /// Opens a session of this secret for whoever has this password, as the core judges.
    ///
    /// # Errors
    /// The core refuses, cannot ask the KDC, is busy, or does not answer.
    pub(in crate::front) async fn sign_on_by_password(
        &self,
        user: String,
        password: Password,
        client: IpAddr,
        secret: SessionSecret,
    ) -> Answer {
        let Ok(_place) = self.waiting_passwords.try_acquire() else {
            return Err(NoGrant::new(Reason::Busy, "too many passwords wait for the core"));
        };
        let question = OpenSession::basic(user, password, client, secret);
        self.passwords.open(&question).await.map(Grant::new).map_err(refusal)
    }

    /// The grant of a session, from memory while it is young.
    ///
    /// # Errors
    /// The session has ended, belongs to another address, or the core does not answer.
    pub(in crate::front) async fn resolve(
        self: &Arc<Self>,
        secret: &SessionSecret,
        client: IpAddr,
    ) -> Answer {
        let key = secret.key();
        if let Some(grant) = self.grants.get(&key) {
            let age = grant.age();
            // The core knows why one is over whose time has come.
            if age < GRANT_LIFETIME && grant.session().expires_at > clock::now() {
                if age > REFRESH_AFTER && grant.begins_renewal() {
                    self.refresh(secret.clone(), client);
                }
                return within_limits(grant, client);
            }
        }
        within_limits(self.ask(secret, client).await?, client)
    }

    /// Ends a session, here at once and everywhere.
    ///
    /// # Errors
    /// The core could not record the end, and a restart of it could revive the
    /// session; or it does not answer, and the session may live on.
    pub(in crate::front) async fn end(&self, secret: &SessionSecret) -> Result<(), NoGrant> {
        let ended = self.client.end(secret).await;
        // The core's event comes as well, but whoever reads our answer may be faster.
        self.forget(&secret.key());
        match ended {
            Ok(()) => Ok(()),
            Err(error) => match refusal(error) {
                NoGrant { reason: Reason::SessionEnded, .. } => Ok(()),
                other => Err(other),
            },
        }
    }

    /// For a tunnel: is cancelled as soon as the session has ended, and when
    /// the front stops. Whoever ends the tunnel cancels it as well; until then
    /// the tunnel counts as a use of the session.
    pub(in crate::front) fn watch(
        self: &Arc<Self>,
        secret: &SessionSecret,
        client: IpAddr,
    ) -> CancellationToken {
        let token = self.stop.child_token();
        self.tunnels.add(secret.key(), token.clone());
        let watching = Arc::clone(self).keep_alive(secret.clone(), client, token.clone());
        tokio::spawn(watching);
        self.metrics.tunnels.inc();
        token
    }

    /// Counts a request that lasts as a use of its session, for as long as this is
    /// awaited.
    pub(in crate::front) async fn keep_in_use(
        self: &Arc<Self>,
        secret: &SessionSecret,
        client: IpAddr,
    ) -> Infallible {
        loop {
            clock::pause(REFRESH_AFTER).await;
            self.note_use(secret.clone(), client);
        }
    }

    /// Tells the core, in its own time, that a session is used.
    pub(super) fn note_use(self: &Arc<Self>, secret: SessionSecret, client: IpAddr) {
        let link = Arc::clone(self);
        tokio::spawn(async move { drop(link.resolve(&secret, client).await) });
    }

    async fn keep_alive(
        self: Arc<Self>,
        secret: SessionSecret,
        client: IpAddr,
        token: CancellationToken,
    ) {
        while token.run_until_cancelled(clock::pause(REFRESH_AFTER)).await.is_some() {
            // A core that cannot be asked ends tunnels when it ends requests.
            if self.resolve(&secret, client).await.is_err() {
                token.cancel();
            }
        }
        self.metrics.tunnels.dec();
        self.tunnels.forget_ended(&secret.key());
    }

    /// Whether the core answers, and takes this process for a front.
    ///
    /// # Errors
    /// It does not, and why.
    pub(in crate::front) async fn ready(&self) -> Result<(), NoGrant> {
        let known_as = self.client.whoami().await.map_err(refusal)?;
        match known_as.acting_as {
            Some(acting_as) if acting_as.is_front() => Ok(()),
            _ => Err(NoGrant::new(
                Reason::FrontNotAllowed,
                format!(
                    "the core does not accept this process ({}) as a front: add its account to \
                     front_users in the core's settings, or give its key the role front",
                    match (known_as.uid, known_as.key) {
                        (Some(uid), _) => format!("uid {uid}"),
                        (None, Some(key)) => format!("key {key}"),
                        (None, None) => known_as.peer.to_string(),
                    }
                ),
            )),
        }
    }

    /// Whether the front stops, or does within this time.
    async fn is_stopping(&self, within: Duration) -> bool {
        timeout(within, self.stop.cancelled()).await.is_ok()
    }

    fn refresh(self: &Arc<Self>, secret: SessionSecret, client: IpAddr) {
        let link = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = link.ask(&secret, client).await {
                tracing::debug!(reason = %error.reason, detail = error.detail, "a grant was not renewed");
            }
        });
    }

    async fn ask(&self, secret: &SessionSecret, client: IpAddr) -> Answer {
        let key = secret.key();
        let ends = self.ends.load(Ordering::SeqCst);
        match self.client.resolve(secret, Some(client)).await {
            Ok(session) => {
                let grant = Grant::new(session);
                self.grants.insert(key, grant.clone());
                // An end that was heard while the answer travelled may be this session's.
                if self.ends.load(Ordering::SeqCst) != ends {
                    self.grants.invalidate(&key);
                }
                Ok(grant)
            }
            Err(error) => {
                let refusal = refusal(error);
                if refusal.reason == Reason::SessionEnded {
                    self.forget(&key);
                }
                Err(refusal)
            }
        }
    }

    /// A session has ended.
    fn forget(&self, key: &SessionKey) {
        self.ends.fetch_add(1, Ordering::SeqCst);
        self.grants.invalidate(key);
        self.tunnels.end(key);
    }

    /// Any session may have ended unheard; tunnels ask for theirs by themselves.
    fn forget_all(&self) {
        self.ends.fetch_add(1, Ordering::SeqCst);
        self.grants.invalidate_all();
    }
}

fn within_limits(grant: Grant, client: IpAddr) -> Answer {
    if grant.session().expires_at <= clock::now() {
        return Err(NoGrant::new(Reason::SessionEnded, "the session has reached its end"));
    }
    match grant.session().only_from {
        Some(only) if only != client => Err(NoGrant::new(
            Reason::AddressChanged,
            format!("the session was opened from {only} and used from {client}"),
        )),
        _ => Ok(grant),
    }
}

fn refused(reason: Reason, detail: &str) -> NoGrant {
    NoGrant::new(reason, detail)
}

fn refusal(error: ClientError) -> NoGrant {
    match error {
        // The certificate is ours, and no matter of whoever wants to sign on.
        ClientError::Refused(body) if body.error == ErrorWord::CertificateRefused => {
            NoGrant::new(Reason::FrontNotAllowed, ClientError::Refused(body).to_string())
        }
        ClientError::Refused(body) => {
            let reason = body.reason();
            let detail = format!("{} (core's reference {})", body.message, body.reference);
            NoGrant { ended: body.ended, ..NoGrant::new(reason, detail) }
        }
        // Whether such a session is accepted at a site is not known: sign on again.
        error @ ClientError::UnknownMechanism { .. } => {
            NoGrant::new(Reason::WrongMechanism, error.to_string())
        }
        other => NoGrant::new(Reason::CoreUnreachable, other.to_string()),
    }
}

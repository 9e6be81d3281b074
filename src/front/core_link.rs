//! Asks the core, remembers for seconds what it granted, and hears what ended.
//!
//! Proofs that wait together travel together, so that a storm of sign-ons
//! costs the core one question and one commit for many. A grant is served
//! from memory; used ones are asked for anew in the background, so a session
//! that ended is forgotten at the core's event, and within
//! [`GRANT_LIFETIME`] even when events are lost.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_lc_rs::digest::{SHA256, digest};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::mechanism::Proof;
use super::upstream::IdentityCache;
use crate::clock;
use crate::config::checked::CoreAddress;
use crate::metrics::Metrics;
use crate::wire::client::{Client, ClientError, EventStream};
use crate::wire::{Event, OpenSession, Reason, Session};

/// A grant older than this is never used without asking the core again.
pub const GRANT_LIFETIME: Duration = Duration::from_secs(15);
/// A grant older than this is asked for anew in the background when it is used.
const REFRESH_AFTER: Duration = Duration::from_secs(5);
/// Proofs that travel together at most.
const BATCH: usize = 128;
/// Proofs that may wait for the core.
const WAITING: usize = 4096;
/// Grants at hand at most.
const GRANTS: u64 = 200_000;

/// Leave to use a site as a user: made only here, from the core's answer.
#[derive(Clone, Debug)]
pub struct Grant(Arc<Granted>);

#[derive(Debug)]
struct Granted {
    session: Session,
    asked_at: Instant,
    asking: AtomicBool,
    identity: IdentityCache,
}

impl Grant {
    fn new(session: Session) -> Self {
        Self(Arc::new(Granted {
            session,
            asked_at: clock::instant(),
            asking: AtomicBool::new(false),
            identity: IdentityCache::default(),
        }))
    }

    /// What the core said.
    pub fn session(&self) -> &Session {
        &self.0.session
    }

    /// What was rendered for applications once already.
    pub(super) fn identity(&self) -> &IdentityCache {
        &self.0.identity
    }
}

/// Why the core gave no grant.
#[derive(Clone, Debug)]
pub struct NoGrant {
    /// The reason, for page, metrics and audit.
    pub reason: Reason,
    /// What stands in the log of the core or of this front.
    pub detail: String,
}

impl NoGrant {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }
}

type SessionKey = [u8; 32];
type Answer = Result<Grant, NoGrant>;

/// The front's one line to the core.
#[derive(Debug)]
pub struct CoreLink {
    client: Client,
    grants: moka::sync::Cache<SessionKey, Grant>,
    proofs: mpsc::Sender<(OpenSession, oneshot::Sender<Answer>)>,
    watches: Mutex<HashMap<SessionKey, CancellationToken>>,
    ends: AtomicU64,
    metrics: Arc<Metrics>,
}

impl CoreLink {
    /// Starts the tasks that carry proofs and hear events; they end with `stop`.
    pub fn start(address: CoreAddress, metrics: Arc<Metrics>, stop: CancellationToken) -> Arc<Self> {
        let (proofs, waiting) = mpsc::channel(WAITING);
        let link = Arc::new(Self {
            client: Client::new(address),
            grants: moka::sync::Cache::builder()
                .max_capacity(GRANTS)
                .time_to_live(GRANT_LIFETIME)
                .build(),
            proofs,
            watches: Mutex::default(),
            ends: AtomicU64::new(0),
            metrics,
        });
        tokio::spawn(carry_proofs(link.client.clone(), waiting));
        tokio::spawn(stop.run_until_cancelled_owned(hear_events(Arc::clone(&link))));
        link
    }

    /// Opens a session for what a mechanism has proven.
    ///
    /// # Errors
    /// The core refuses, is busy, or does not answer.
    pub async fn sign_on(&self, proof: Proof, client: IpAddr) -> Answer {
        let question = OpenSession {
            proof: Some(proof.into_message()),
            client: Some(client),
            ..OpenSession::default()
        };
        let (answer, answered) = oneshot::channel();
        if self.proofs.try_send((question, answer)).is_err() {
            return Err(NoGrant::new(Reason::Busy, "too many proofs wait for the core"));
        }
        match answered.await {
            Ok(answer) => answer,
            Err(_) => Err(NoGrant::new(Reason::CoreUnreachable, "the front is stopping")),
        }
    }

    /// The grant of a session, from memory while it is young.
    ///
    /// # Errors
    /// The session has ended, belongs to another address, or the core does not answer.
    pub async fn resolve(self: &Arc<Self>, id: &str, client: IpAddr) -> Answer {
        let key = key_of(id);
        if let Some(grant) = self.grants.get(&key) {
            let age = clock::instant().saturating_duration_since(grant.0.asked_at);
            if age < GRANT_LIFETIME {
                if age > REFRESH_AFTER && !grant.0.asking.swap(true, Ordering::Relaxed) {
                    self.refresh(id.to_owned(), client);
                }
                return within_limits(grant, client);
            }
        }
        within_limits(self.ask(id, client).await?, client)
    }

    /// Ends a session, here at once and everywhere.
    ///
    /// # Errors
    /// The core does not answer or could not record the end; here it has ended all the same.
    pub async fn end(&self, id: &str) -> Result<(), NoGrant> {
        self.forget(&key_of(id));
        match self.client.end(id).await {
            Ok(()) => Ok(()),
            Err(error) => match refusal(error) {
                NoGrant { reason: Reason::SessionEnded, .. } => Ok(()),
                other => Err(other),
            },
        }
    }

    /// Is cancelled as soon as the session is known to have ended.
    pub fn watch(&self, id: &str) -> CancellationToken {
        let mut watches = self.watches.lock().unwrap_or_else(PoisonError::into_inner);
        watches.retain(|_, watch| !watch.is_cancelled());
        watches.entry(key_of(id)).or_default().clone()
    }

    /// Whether the core answers.
    ///
    /// # Errors
    /// It does not, and why.
    pub async fn ready(&self) -> Result<(), NoGrant> {
        self.client.whoami().await.map(drop).map_err(refusal)
    }

    fn refresh(self: &Arc<Self>, id: String, client: IpAddr) {
        let link = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(error) = link.ask(&id, client).await {
                tracing::debug!(reason = %error.reason, detail = error.detail, "a grant was not renewed");
            }
        });
    }

    async fn ask(&self, id: &str, client: IpAddr) -> Answer {
        let key = key_of(id);
        let ends = self.ends.load(Ordering::SeqCst);
        match self.client.resolve(id, Some(client)).await {
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
                if refusal.reason != Reason::CoreUnreachable {
                    self.forget(&key);
                }
                Err(refusal)
            }
        }
    }

    fn forget(&self, key: &SessionKey) {
        self.ends.fetch_add(1, Ordering::SeqCst);
        self.grants.invalidate(key);
        let watch = self.watches.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
        if let Some(watch) = watch {
            watch.cancel();
        }
    }

    fn heard(&self, event: &Event) {
        match event {
            Event::Hello => {
                self.metrics.core_connected.set(1);
                self.grants.invalidate_all();
            }
            Event::SessionEnded { id } => match parse_key(id) {
                Some(key) => self.forget(&key),
                None => tracing::error!(id, "the core told of a session id that is no SHA-256"),
            },
        }
        self.metrics.cached_grants.set(i64::try_from(self.grants.entry_count()).unwrap_or(i64::MAX));
    }
}

async fn carry_proofs(
    client: Client,
    mut waiting: mpsc::Receiver<(OpenSession, oneshot::Sender<Answer>)>,
) {
    let mut batch = Vec::with_capacity(BATCH);
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (questions, askers): (Vec<_>, Vec<_>) = batch.drain(..).unzip();
        match client.open_many(questions).await {
            Ok(answers) => {
                for (asker, answer) in askers.into_iter().zip(answers) {
                    let answer = answer
                        .map(Grant::new)
                        .map_err(|body| refusal(ClientError::Refused(body)));
                    // An asker that has gone away left its session unclaimed: it ends by itself.
                    drop(asker.send(answer));
                }
            }
            Err(error) => {
                let refusal = refusal(error);
                for asker in askers {
                    drop(asker.send(Err(refusal.clone())));
                }
            }
        }
    }
}

async fn hear_events(link: Arc<CoreLink>) {
    let mut pause = Duration::from_millis(50);
    loop {
        match link.client.events().await {
            Ok(mut events) => {
                pause = Duration::from_millis(50);
                listen(&link, &mut events).await;
                tracing::warn!("the core's event stream broke off; grants are asked for anew within {GRANT_LIFETIME:?}");
            }
            Err(error) => tracing::warn!(%error, "no event stream from the core"),
        }
        link.metrics.core_connected.set(0);
        clock::pause(pause).await;
        pause = (pause * 2).min(Duration::from_secs(5));
    }
}

async fn listen(link: &CoreLink, events: &mut EventStream) {
    while let Some(event) = events.next().await {
        link.heard(&event);
    }
}

fn within_limits(grant: Grant, client: IpAddr) -> Answer {
    if grant.session().expires_at <= clock::now() {
        return Err(NoGrant::new(Reason::SessionEnded, "the session's time has come"));
    }
    match grant.session().only_from {
        Some(only) if only != client => Err(NoGrant::new(
            Reason::AddressChanged,
            format!("the session was opened from {only} and used from {client}"),
        )),
        _ => Ok(grant),
    }
}

fn refusal(error: ClientError) -> NoGrant {
    match error {
        ClientError::Refused(body) => {
            let reason = body.reason.unwrap_or(match body.error.as_str() {
                "end_of_session" => Reason::SessionEnded,
                "store_full" => Reason::StoreFull,
                "store_failed" => Reason::StoreFailed,
                "busy" => Reason::Busy,
                _ => Reason::NotPermitted,
            });
            NoGrant::new(reason, format!("{} (core's reference {})", body.message, body.reference))
        }
        other => NoGrant::new(Reason::CoreUnreachable, other.to_string()),
    }
}

fn key_of(id: &str) -> SessionKey {
    let mut key = [0; 32];
    key.copy_from_slice(digest(&SHA256, id.as_bytes()).as_ref());
    key
}

fn parse_key(hex: &str) -> Option<SessionKey> {
    let mut key = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_names_the_key_that_the_cookie_hashes_to() {
        let hex: String = key_of("abc").iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(parse_key(&hex), Some(key_of("abc")));
        assert_eq!(parse_key(&hex[1..]), None);
        assert_eq!(parse_key(&"é".repeat(32)), None);
    }
}

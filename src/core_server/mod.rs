//! The core: decides who may come in and as whom, and keeps the sessions.
//!
//! ```text
//! serve ─▶ policy (who is the peer, what may it ask) ─▶ api ─▶ sign_on ─▶ identity ─▶ admit
//!                                                        │                              │
//!                          events ◀── sessions ◀─────────┴───────── Admission ◀─────────┘
//!                                        └──▶ store
//! ```

use std::io;
use std::net::IpAddr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio_util::sync::CancellationToken;

use crate::audit::{Audit, Happening, Line, Verdict};
use crate::clock::{self, Timestamp};
use crate::config::checked::Settings;
use crate::store::{Database, OpenError, Record, Store};
use crate::wire::key::is_session_id;
use crate::wire::{Mechanism, OpenSession, Reason, Session, SessionKey};

pub mod admit;
mod api;
mod events;
mod policy;
mod refusal;
mod serve;
mod sessions;
mod sign_on;
pub mod socket;
#[cfg(test)]
mod tests;

use admit::Admission;
use events::EventBody;
use policy::{Ask, Peer, Policy, allowed};
use refusal::{Kind, Refusal};
pub use serve::serve;
use sessions::{Opened, Sessions};
use sign_on::{Denial, Wish, decide};

/// The core of this process. Its verbs are asked by the peers of [`serve`].
#[derive(Debug)]
pub struct Core {
    policy: ArcSwap<Policy>,
    sessions: Arc<Sessions>,
    audit: Arc<Audit>,
}

/// Why the core cannot start.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The session store cannot be opened.
    #[error(transparent)]
    Store(#[from] OpenError),
    /// The system has no thread left for the store.
    #[error("cannot start the thread that writes sessions: {0}")]
    Thread(#[source] io::Error),
}

impl Core {
    /// Opens the session store under `state_path` and takes up the sessions in it.
    /// `keytab_realms` are allowed in trusted names while no `[[core.realm]]` is configured.
    ///
    /// # Errors
    /// See [`CoreError`].
    pub fn start(
        settings: &Settings,
        keytab_realms: Vec<String>,
        audit: Arc<Audit>,
    ) -> Result<Self, CoreError> {
        let policy = Policy::new(settings, keytab_realms);
        let mut database = Database::open(&settings.state_path)?;
        let stored = database.load()?;
        let store = Store::start(database).map_err(CoreError::Thread)?;
        let sessions = Sessions::start(stored, store, policy.limits, clock::now());
        Ok(Self { policy: ArcSwap::from_pointee(policy), sessions: Arc::new(sessions), audit })
    }

    /// Lets new settings decide from now on. Sessions that live stay, under the new limits.
    pub fn reload(&self, settings: &Settings, keytab_realms: Vec<String>) {
        let policy = Policy::new(settings, keytab_realms);
        self.sessions.set_limits(policy.limits);
        self.policy.store(Arc::new(policy));
    }

    /// How many sessions live.
    pub fn live_sessions(&self) -> usize {
        self.sessions.len()
    }

    fn sweep(&self, now: Timestamp) {
        self.sessions.sweep(now);
    }

    /// Opens sessions; an answer for each wish, in order.
    async fn open(
        &self,
        peer: &Peer,
        requests: Vec<OpenSession>,
        now: Timestamp,
    ) -> Vec<Result<Session, Refusal>> {
        let policy = self.policy.load_full();
        let mut admitted = Vec::with_capacity(requests.len());
        let mut callers = Vec::with_capacity(requests.len());
        for request in requests {
            callers.push(match self.judge(peer, request, &policy, now) {
                Ok((caller, admission)) => {
                    let only_from = caller.client.filter(|_| policy.ip_check);
                    admitted.push((admission, only_from));
                    Ok(caller)
                }
                Err(refusal) => Err(refusal),
            });
        }
        let opened = match admitted.is_empty() {
            true => Ok(Vec::new()),
            false => self.sessions.open(admitted, now).await,
        };
        let mut opened = opened.map(Vec::into_iter);
        let answer = |caller: Result<Caller, Refusal>| {
            let caller = caller?;
            match &mut opened {
                Ok(opened) => match opened.next() {
                    Some(opened) => Ok(self.granted(peer, &caller, opened, &policy)),
                    None => Err(Refusal::unrecorded(crate::store::WriteError::Failed)),
                },
                Err(error) => {
                    let refusal = Refusal::unrecorded(*error);
                    self.refused(peer, &caller, &refusal, reason_of(refusal.kind));
                    Err(refusal)
                }
            }
        };
        callers.into_iter().map(answer).collect()
    }

    fn judge(
        &self,
        peer: &Peer,
        request: OpenSession,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(Caller, Admission), Refusal> {
        // Addresses are told by those who see them; a local program's word is nobody's.
        let client = match peer {
            Peer::System { .. } | Peer::Front { .. } => request.client,
            Peer::Local { .. } => None,
        };
        let wish = Wish::read(request).map_err(Refusal::bad_request)?;
        let (mechanism, principal) = wish.claim();
        let caller = Caller {
            mechanism,
            principal: principal.to_owned(),
            client: client.map(|address| address.to_canonical()),
        };
        decide(peer, wish, policy, now)
            .map_err(|denial| {
                let (refusal, reason) = match denial {
                    Denial::NoAccess => (Refusal::no_access(), Reason::NotPermitted),
                    Denial::Refused(reason) => (Refusal::logon_failed(), reason),
                };
                self.refused(peer, &caller, &refusal, reason);
                let proves = caller.mechanism == Mechanism::Negotiate;
                if proves && allowed(peer, Ask::OpenByProof) {
                    refusal.telling(reason)
                } else {
                    refusal
                }
            })
            .map(|admission| (caller, admission))
    }

    /// Whose session an id is.
    fn resolve(
        &self,
        peer: &Peer,
        id: String,
        client: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Session, Refusal> {
        if !is_session_id(&id) {
            return Err(Refusal::end_of_session());
        }
        let client = match peer {
            Peer::System { .. } | Peer::Front { .. } => {
                client.map(|address| address.to_canonical())
            }
            Peer::Local { .. } => None,
        };
        match self.sessions.resolve(&SessionKey::of(&id), client, now) {
            Ok(record) => Ok(session(id, &record, &self.policy.load())),
            Err(reason) if allowed(peer, Ask::OpenByProof) => {
                Err(Refusal::end_of_session().telling(reason))
            }
            Err(_) => Err(Refusal::end_of_session()),
        }
    }

    /// Ends the session of an id.
    async fn end(&self, peer: &Peer, id: &str) -> Result<(), Refusal> {
        let Some((record, recorded)) = self.sessions.end(&SessionKey::of(id)).await else {
            return Err(Refusal::end_of_session());
        };
        let refusal = recorded.err().map(Refusal::unrecorded);
        self.audit.write(&Line {
            reason: refusal.as_ref().map(|refusal| reason_of(refusal.kind)),
            detail: Some("logout"),
            reference: refusal.as_ref().map(|refusal| refusal.reference.as_str()),
            peer: Some(&peer.to_string()),
            ..of_record(Happening::SessionEnd, &record, &record.key.short())
        });
        refusal.map_or(Ok(()), Err)
    }

    fn listen(&self, stop: CancellationToken) -> EventBody {
        self.sessions.events().stream(stop)
    }

    /// A peer asked what it may not.
    fn denied(&self, peer: &Peer, ask: Ask) -> Refusal {
        let refusal = Refusal::no_access();
        self.audit.write(&Line {
            reason: Some(Reason::NotPermitted),
            detail: Some(ask.word()),
            peer: Some(&peer.to_string()),
            reference: Some(&refusal.reference),
            ..Line::new(Happening::Peer, Verdict::Refused)
        });
        refusal
    }

    fn granted(&self, peer: &Peer, caller: &Caller, opened: Opened, policy: &Policy) -> Session {
        for gone in &opened.made_room {
            self.audit.write(&Line {
                detail: Some("made room for a newer session of the same user"),
                ..of_record(Happening::SessionEnd, gone, &gone.key.short())
            });
        }
        self.audit.write(&Line {
            client: caller.client,
            peer: Some(&peer.to_string()),
            ..of_record(Happening::SignOn, &opened.record, &opened.record.key.short())
        });
        session(opened.secret, &opened.record, policy)
    }

    fn refused(&self, peer: &Peer, caller: &Caller, refusal: &Refusal, reason: Reason) {
        self.audit.write(&Line {
            reason: Some(reason),
            mechanism: Some(caller.mechanism),
            principal: Some(&caller.principal),
            client: caller.client,
            peer: Some(&peer.to_string()),
            reference: Some(&refusal.reference),
            ..Line::new(Happening::SignOn, Verdict::Refused)
        });
    }
}

/// Who wants a session, for the audit log.
struct Caller {
    mechanism: Mechanism,
    principal: String,
    client: Option<IpAddr>,
}

fn of_record<'a>(event: Happening, record: &'a Record, key: &'a str) -> Line<'a> {
    Line {
        mechanism: Some(record.mechanism),
        principal: Some(&record.principal),
        login: Some(&record.user.login),
        channel_bound: Some(record.channel_bound),
        session: Some(key),
        ..Line::new(event, Verdict::Granted)
    }
}

fn session(secret: String, record: &Record, policy: &Policy) -> Session {
    Session {
        session: secret,
        user: Arc::clone(&record.user),
        mechanism: record.mechanism,
        principal: record.principal.clone(),
        channel_bound: record.channel_bound,
        expires_at: record.expires_at,
        only_from: record.only_from,
        home_server: policy.server_name.clone(),
        redirect: None,
    }
}

const fn reason_of(kind: Kind) -> Reason {
    match kind {
        Kind::Busy => Reason::Busy,
        Kind::StoreFull => Reason::StoreFull,
        Kind::StoreFailed => Reason::StoreFailed,
        Kind::EndOfSession => Reason::SessionEnded,
        Kind::LogonFailed | Kind::NoAccess | Kind::BadRequest | Kind::NotFound => {
            Reason::NotPermitted
        }
    }
}

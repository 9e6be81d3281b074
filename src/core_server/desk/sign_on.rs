//! Opens sessions: judges each wish, opens those that were admitted with one
//! write to the disk, and has every outcome in the audit log.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use crate::audit::{Handed, Happening, Line, Verdict};
use crate::clock::{self, Timestamp};
use crate::core_server::peer::Peer;
use crate::core_server::peer::keys::Entitled;
use crate::core_server::policy::{Ask, Policy, allowed};
use crate::core_server::refusal::Refusal;
use crate::core_server::request::admit::Admission;
use crate::core_server::request::wish::{Denial, Wish, decide};
use crate::core_server::sessions::{Opened, Origin, SecretTaken};
use crate::core_server::store::WriteError;
use crate::core_server::{Core, of_record, session};
use crate::pki::peer::peer_keys::Listed;
use crate::wire::{Ending, Mechanism, OpenSession, Reason, Session, SessionSecret};

impl Core {
    /// Opens sessions; an answer for each wish, in order.
    pub(in crate::core_server) async fn open(
        &self,
        peer: &Peer,
        requests: Vec<OpenSession>,
        now: Timestamp,
    ) -> Vec<Result<Session, Refusal>> {
        let policy = self.policy.load_full();
        let listed = match requests.iter().any(by_certificate) {
            true => self.listed(&policy, now).await,
            false => None,
        };
        let judge = |request| self.judge(peer, request, listed.as_deref(), &policy, now);
        self.open_admitted(peer, requests.into_iter().map(judge).collect(), &policy, now).await
    }

    /// Opens sessions for those that were admitted; an answer for each, in order.
    pub(in crate::core_server) async fn open_admitted(
        &self,
        peer: &Peer,
        judged: Vec<Result<(Caller, Admission), Refusal>>,
        policy: &Policy,
        now: Timestamp,
    ) -> Vec<Result<Session, Refusal>> {
        let by: Arc<str> = peer.to_string().into();
        let mut admitted = Vec::with_capacity(judged.len());
        let mut callers = Vec::with_capacity(judged.len());
        for judged in judged {
            callers.push(match judged {
                Ok((mut caller, admission)) => {
                    let client = caller.client;
                    let only_from = client.filter(|_| policy.ip_check);
                    let (by, secret) = (Arc::clone(&by), caller.secret.take());
                    admitted.push((admission, Origin { by, client, only_from, secret }));
                    Ok(caller)
                }
                Err(refusal) => Err(refusal),
            });
        }
        let opened = match admitted.is_empty() {
            true => Ok(Vec::new()),
            false if self.audit.forbids_sign_ons() => Err(Refusal::unaudited()),
            false => self.sessions.open(admitted, now).await.map_err(Refusal::unrecorded),
        };
        let mut opened = opened.map(Vec::into_iter);
        // All lines are handed over before the first is waited for.
        let handed: Vec<_> = callers
            .into_iter()
            .map(|caller| {
                let caller = caller?;
                let opened = match &mut opened {
                    Ok(opened) => match opened.next() {
                        Some(Ok(opened)) => Ok(opened),
                        Some(Err(SecretTaken)) => Err(Refusal::secret_taken()),
                        None => return Err(Refusal::unrecorded(WriteError::Failed)),
                    },
                    Err(refusal) => Err(Refusal::again(refusal)),
                };
                match opened {
                    Ok(opened) => {
                        let handed = self.granted(peer, &caller, &opened);
                        Ok((caller, opened, handed))
                    }
                    Err(refusal) => {
                        self.refused(peer, &caller, &refusal, refusal.kind.reason());
                        Err(refusal)
                    }
                }
            })
            .collect();
        let mut answers = Vec::with_capacity(handed.len());
        for handed in handed {
            answers.push(match handed {
                Ok((caller, opened, handed)) => match handed.written_as_required().await {
                    true => Ok(session(opened.secret, &opened.record, policy)),
                    false => Err(self.take_back(peer, &caller, &opened).await),
                },
                Err(refusal) => Err(refusal),
            });
        }
        answers
    }

    /// Ends a session of which nothing stands in the audit log, though it must.
    async fn take_back(&self, peer: &Peer, caller: &Caller, opened: &Opened) -> Refusal {
        let refusal = Refusal::unaudited();
        // Dead at once; that it stays so is written as soon as the disk allows. Nobody
        // ever had its secret.
        let _ = self.sessions.end(&opened.record.key, Ending::Unclaimed, clock::now()).await;
        self.refused(peer, caller, &refusal, refusal.kind.reason());
        refusal
    }

    fn judge(
        &self,
        peer: &Peer,
        mut request: OpenSession,
        listed: Option<&Listed>,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(Caller, Admission), Refusal> {
        // Addresses are told by those who see them; a local program's word is nobody's.
        let client = request.client.filter(|_| peer.sees_clients());
        let proven = request.proof.is_some();
        let secret = self.proposed(peer, &mut request, proven)?;
        let mut wish = Wish::read(request).map_err(Refusal::bad_request)?;
        let (mechanism, principal) = wish.claim();
        let mut caller = Caller {
            mechanism,
            principal: principal.to_owned(),
            client: client.map(|address| address.to_canonical()),
            impersonator: None,
            act_as: wish.act_as.clone(),
            key: None,
            detail: None,
            secret,
        };
        let holder = wish.key().map(|key| {
            let Some(listed) = listed else { return Err(Reason::Busy) };
            // An entry that is limited to networks never matches an unknown address.
            let from = caller.client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
            let entitled = policy.keys.entitled(listed, key, Some(from), now);
            match entitled.and_then(Entitled::holder) {
                Ok(holder) => {
                    caller.key = Some(holder.file.clone());
                    Ok(holder)
                }
                Err(refused) => {
                    caller.detail = Some(format!("key {key}: {}", refused.detail));
                    Err(refused.reason)
                }
            }
        });
        wish.holder = holder;
        self.decide(peer, wish, caller, policy, now)
    }

    /// The secret that a request proposes. Who may not hand in what others have
    /// proven has no say in secrets; `fits` is whether it is such a proof.
    pub(in crate::core_server) fn proposed(
        &self,
        peer: &Peer,
        request: &mut OpenSession,
        fits: bool,
    ) -> Result<Option<SessionSecret>, Refusal> {
        match request.secret.take() {
            Some(_) if !allowed(peer, Ask::OpenByProof) => Err(self.denied(peer, Ask::OpenByProof)),
            Some(_) if !fits => Err(Refusal::bad_request(
                "A \"secret\" is allowed only with a \"proof\" or a \"basic\" password.",
            )),
            secret => Ok(secret),
        }
    }

    /// Admits a wish, or has the refusal in the audit log.
    pub(in crate::core_server) fn decide(
        &self,
        peer: &Peer,
        wish: Wish,
        mut caller: Caller,
        policy: &Policy,
        now: Timestamp,
    ) -> Result<(Caller, Admission), Refusal> {
        decide(peer, wish, policy, now)
            .map_err(|denial| {
                let (refusal, reason, detail) = match denial {
                    Denial::NoAccess(ask) => {
                        (Refusal::no_access(peer, ask), Reason::NotPermitted, String::new())
                    }
                    Denial::Refused(reason @ Reason::NotAdministrator) => {
                        (Refusal::not_administrator(), reason, String::new())
                    }
                    Denial::Refused(reason) => (Refusal::logon_failed(), reason, String::new()),
                    Denial::Unidentified(refused) => {
                        (Refusal::logon_failed(), refused.reason, refused.detail)
                    }
                };
                let detail = match reason {
                    Reason::RealmNotAllowed if detail.is_empty() => policy.identity.allowed(),
                    _ => detail,
                };
                self.refused_because(peer, &caller, &refusal, reason, &detail);
                if caller.mechanism.proves() && allowed(peer, Ask::OpenByProof) {
                    refusal.telling(reason)
                } else {
                    refusal
                }
            })
            .map(|admission| {
                caller.impersonator = admission.impersonator().map(ToString::to_string);
                (caller, admission)
            })
    }

    fn granted(&self, peer: &Peer, caller: &Caller, opened: &Opened) -> Handed {
        for evicted in &opened.evicted {
            self.audit.write(&Line {
                ended: Some(Ending::Displaced),
                detail: Some("made room for a newer session of the same user"),
                ..of_record(Happening::SessionEnd, evicted, &evicted.key.short())
            });
        }
        self.audit.hand_over(&Line {
            client: caller.client,
            peer: Some(&peer.to_string()),
            key: caller.key.as_deref().or(peer.key()),
            impersonator: caller.impersonator.as_deref(),
            ..of_record(Happening::SignOn, &opened.record, &opened.record.key.short())
        })
    }

    fn refused(&self, peer: &Peer, caller: &Caller, refusal: &Refusal, reason: Reason) {
        self.refused_because(peer, caller, refusal, reason, "");
    }

    /// The audit line of a refusal, with more words on the reason where there are any.
    pub(in crate::core_server) fn refused_because(
        &self,
        peer: &Peer,
        caller: &Caller,
        refusal: &Refusal,
        reason: Reason,
        detail: &str,
    ) {
        self.audit.write(&Line {
            reason: Some(reason),
            detail: Some(detail).filter(|detail| !detail.is_empty()).or(caller.detail.as_deref()),
            mechanism: Some(caller.mechanism),
            principal: Some(&caller.principal),
            client: caller.client,
            peer: Some(&peer.to_string()),
            key: caller.key.as_deref().or(peer.key()),
            login: caller.act_as.as_deref(),
            reference: Some(&refusal.reference),
            ..Line::new(Happening::SignOn, Verdict::Refused)
        });
    }
}

/// Who wants a session, for the audit log.
pub(in crate::core_server) struct Caller {
    pub(in crate::core_server) mechanism: Mechanism,
    pub(in crate::core_server) principal: String,
    pub(in crate::core_server) client: Option<IpAddr>,
    /// Who acts as the session's owner.
    pub(in crate::core_server) impersonator: Option<String>,
    /// As whom the caller wants to act.
    pub(in crate::core_server) act_as: Option<String>,
    /// The file of the key that a certificate was shown for.
    pub(in crate::core_server) key: Option<String>,
    /// More words on a refusal.
    pub(in crate::core_server) detail: Option<String>,
    /// The secret that the new session shall have.
    pub(in crate::core_server) secret: Option<SessionSecret>,
}

fn by_certificate(request: &OpenSession) -> bool {
    request.proof.as_ref().is_some_and(|proof| proof.mechanism == Mechanism::Certificate)
}

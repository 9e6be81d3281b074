//! A sign-on by password: checks it, opens a session, and refuses always in the same way.

use std::time::Duration;

use super::{Denied, Limited, Origin, Right, Verified};
use crate::clock::{self, Timestamp};
use crate::core_server::Core;
use crate::core_server::desk::sign_on::Caller;
use crate::core_server::peer::Peer;
use crate::core_server::policy::{Ask, allowed};
use crate::core_server::refusal::Refusal;
use crate::core_server::request::admit::Facts;
use crate::core_server::request::wish::Wish;
use crate::process::seldom::Seldom;
use crate::schedule;
use crate::wire::{ErrorWord, Mechanism, OpenSession, Reason, Session};

impl Core {
    /// Opens a session for whoever has the password. Every refusal of name and
    /// password passes here, and leaves at a full step of the clock.
    pub(in crate::core_server) async fn open_by_password(
        &self,
        peer: &Peer,
        request: OpenSession,
        now: Timestamp,
    ) -> Result<Session, Refusal> {
        let began = clock::instant();
        let answer = self.try_password(peer, request, now).await;
        if answer.as_ref().is_err_and(|refusal| refusal.kind == ErrorWord::LogonFailed) {
            schedule::next_step(began).await;
        }
        answer
    }

    async fn try_password(
        &self,
        peer: &Peer,
        mut request: OpenSession,
        now: Timestamp,
    ) -> Result<Session, Refusal> {
        request.beyond.check(false).map_err(Refusal::bad_request)?;
        let policy = self.policy.load_full();
        let basic = request.basic && allowed(peer, Ask::OpenByProof);
        let secret = self.proposed(peer, &mut request, basic)?;
        let client = request.client.filter(|_| peer.sees_clients());
        let client = client.or_else(|| peer.address()).map(|address| address.to_canonical());
        let OpenSession { proof: None, user: Some(name), trusted: false, password, act_as, .. } =
            request
        else {
            return Err(Refusal::bad_request(
                "With \"password\", send \"user\", and neither \"proof\" nor \"trusted\".",
            ));
        };
        let password = password.unwrap_or_default();
        let caller = Caller {
            mechanism: if basic { Mechanism::Basic } else { Mechanism::Password },
            principal: name.chars().take(LONGEST_NAME).collect(),
            client,
            impersonator: None,
            act_as,
            key: None,
            detail: None,
            secret,
        };
        let origin = match client {
            Some(address) => Origin::of(address),
            None => Origin::Program(peer.uid().unwrap_or(u32::MAX)),
        };
        let rules = (&policy.passwords, &policy.identity);
        match self.passwords.check(&name, &password, origin, rules).await {
            Ok(Right { identity, principal, groups }) => {
                let facts = Facts {
                    typed: Some(name),
                    groups,
                    ..Facts::named(caller.mechanism, principal.clone())
                };
                let caller = Caller { principal, ..caller };
                let verified = Verified { identity, facts };
                let wish = Wish::verified(verified, caller.act_as.clone());
                let judged = self.decide(peer, wish, caller, &policy, now);
                let answers = self.open_admitted(peer, vec![judged], &policy, now).await;
                // One wish, one answer.
                answers.into_iter().next().unwrap_or_else(|| Err(Refusal::logon_failed()))
            }
            Err(denied) => Err(self.denied_password(peer, &caller, denied)),
        }
    }

    fn denied_password(&self, peer: &Peer, caller: &Caller, denied: Denied) -> Refusal {
        let (refusal, reason, detail) = match denied {
            Denied::Refused(reason, detail) => (Refusal::logon_failed(), reason, detail),
            Denied::Unable(reason, detail) => {
                match UNCHECKED.due(reason.label(), clock::instant()) {
                    Some(since_the_last) => {
                        tracing::error!(%reason, detail, since_the_last, "a password could not be checked");
                    }
                    None => tracing::info!(%reason, detail, "a password could not be checked"),
                }
                (Refusal::unable(reason), reason, detail)
            }
            Denied::Limited(limited) => {
                let refusal = match limited {
                    Limited::Origin(time) | Limited::Account(time) => {
                        Refusal::too_many_attempts(time)
                    }
                    Limited::Busy => Refusal::unable(Reason::Busy),
                };
                let reason = match limited {
                    Limited::Busy => Reason::Busy,
                    Limited::Origin(_) | Limited::Account(_) => Reason::TooManyAttempts,
                };
                (refusal, reason, limited.to_string())
            }
        };
        self.refused_because(peer, caller, &refusal, reason, &detail);
        refusal
    }
}

static UNCHECKED: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

/// Characters of a name that the audit log repeats.
const LONGEST_NAME: usize = 256;

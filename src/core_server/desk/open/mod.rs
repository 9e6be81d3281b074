//! Opens sessions. Each request is decided on by itself; those that are admitted
//! are opened with one write to the disk, and every outcome is in the audit log.

use std::sync::Arc;

use super::Desk;
use crate::clock::{self, Timestamp};
use crate::core_server::policy::Policy;
use crate::core_server::refusal::Refusal;
use crate::core_server::request::admit::Admission;
use crate::core_server::request::{Context, Decision, SessionRequest, decide};
use crate::core_server::rights::{Action, Asked, Permit, ProposeSecret, permit};
use crate::core_server::sessions::Origin;
use crate::wire::open::{Claim, Mixed};
use crate::wire::{Denied, OpenSession, Session};

mod attempt;
mod batch;
mod password;
mod single;

pub(super) use attempt::SignOnAttempt;

/// A sign-on that was admitted.
#[derive(Debug)]
struct Admitted {
    attempt: SignOnAttempt,
    admission: Admission,
    origin: Origin,
}

/// A request of a peer that may make it.
#[derive(Debug)]
struct Permitted<R: SessionRequest> {
    request: R,
    attempt: SignOnAttempt,
    permit: Permit<R::Right>,
    secret: Option<Permit<ProposeSecret>>,
}

/// By which settings, when and by whom sessions are opened: the same for all of a batch.
struct Terms {
    policy: Arc<Policy>,
    now: Timestamp,
    /// The peer, in the words of the audit log.
    by: Arc<str>,
}

impl Desk {
    /// Opens a session.
    pub(in crate::core_server) async fn open(
        &self,
        request: Result<OpenSession, Mixed>,
    ) -> Result<Session, Refusal> {
        let OpenSession { client, claim } = request.map_err(|mixed| self.mixed(mixed))?;
        let (desk, client) = (self.clone(), self.client(client));
        let open = async move {
            match claim {
                Claim::Proof(request) => desk.open_proof(request, client).await,
                Claim::Certificate(request) => desk.open_certificate(request, client).await,
                Claim::Password(request) => desk.open_password(request, client).await,
                Claim::Trusted(request) => desk.open_named(request, client).await,
                Claim::Own(request) => desk.open_named(request, client).await,
            }
        };
        Self::uncancelled(open).await?
    }

    /// Parts of a request that do not go together. Who may propose no secret is told
    /// that before anything else.
    fn mixed(&self, Mixed { sentence, secret }: Mixed) -> Refusal {
        if !secret || self.may(Action::ProposeSecret) {
            return Refusal::bad_request(sentence);
        }
        let denied = Action::ProposeSecret.denied();
        let refusal = Refusal::no_access(&self.peer, &denied);
        self.core.audit_refused(&self.peer, None, &denied, &refusal.reference);
        refusal
    }

    fn terms(&self) -> Terms {
        let by = self.peer.to_string().into();
        Terms { policy: self.core.policy.load_full(), now: clock::now(), by }
    }

    /// Leave for a request, and for the secret that it proposes.
    fn permit_request<R: SessionRequest>(
        &self,
        mut request: R,
        attempt: SignOnAttempt,
    ) -> Result<Permitted<R>, Refusal> {
        let permit = self.permit_sign_on(R::RIGHT, &attempt)?;
        let secret = (request.take_secret())
            .map(|secret| self.permit_sign_on(ProposeSecret(secret), &attempt))
            .transpose()?;
        Ok(Permitted { request, attempt, permit, secret })
    }

    /// Leave for a sign-on, or for a part of it.
    fn permit_sign_on<A: Asked>(
        &self,
        asked: A,
        attempt: &SignOnAttempt,
    ) -> Result<Permit<A>, Refusal> {
        permit(self.peer.actor(), asked).map_err(|denied| {
            let refusal = Refusal::no_access(&self.peer, &denied);
            self.core.audit_refused(&self.peer, Some(attempt), &denied, &refusal.reference);
            refusal
        })
    }

    /// Decides on a request for which all is gathered.
    fn judge<R: SessionRequest>(
        &self,
        permitted: Permitted<R>,
        gathered: R::Gathered,
        Terms { policy, now, by }: &Terms,
    ) -> Result<Admitted, Refusal> {
        let Permitted { request, mut attempt, permit, secret } = permitted;
        let actor = self.peer.actor();
        let context = Context { actor, client: attempt.client, policy, now: *now };
        let Decision { key_file, admission } = decide(request, &permit, gathered, &context);
        attempt.key_file = key_file;
        match admission {
            Ok(admission) => {
                attempt.impersonator = admission.impersonator().map(ToString::to_string);
                let client = attempt.client;
                let origin = Origin {
                    by: Arc::clone(by),
                    client,
                    only_from: client.filter(|_| policy.ip_check),
                    secret: secret.map(|permit| permit.into_action().0),
                };
                Ok(Admitted { attempt, admission, origin })
            }
            Err(denied) => Err(self.refuse_sign_on(&attempt, &denied)),
        }
    }

    /// Refuses a sign-on: in one way whatever the reason, which only those are told
    /// who have proven who is there.
    fn refuse_sign_on(&self, attempt: &SignOnAttempt, denied: &Denied) -> Refusal {
        let told = attempt.mechanism.proves() && self.takes_proofs();
        let refusal = Refusal::of_sign_on(denied.reason, told);
        self.core.audit_refused(&self.peer, Some(attempt), denied, &refusal.reference);
        refusal
    }
}

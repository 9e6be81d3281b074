//! One session, by password: every refusal of name and password is one way, and
//! leaves at a full step of the clock.

use std::net::IpAddr;
use std::time::Duration;

use super::{Permitted, SignOnAttempt};
use crate::clock;
use crate::core_server::desk::Desk;
use crate::core_server::password::{Limited, Unverified};
use crate::core_server::refusal::Refusal;
use crate::core_server::request::password::gather;
use crate::process::seldom::Seldom;
use crate::schedule;
use crate::wire::open::{ByPassword, Entered};
use crate::wire::{Denied, ErrorWord, Reason, Session};

impl Desk {
    pub(super) async fn open_password(
        &self,
        request: ByPassword,
        client: Option<IpAddr>,
    ) -> Result<Session, Refusal> {
        let began = clock::instant();
        let answer = self.try_password(request, client).await;
        if answer.as_ref().is_err_and(|refusal| refusal.word == ErrorWord::LogonFailed) {
            schedule::next_step(began).await;
        }
        answer
    }

    async fn try_password(
        &self,
        mut request: ByPassword,
        client: Option<IpAddr>,
    ) -> Result<Session, Refusal> {
        // Only a front may say that a client sent it, and choose its secret for it.
        if let Entered::Basic(None) = request.entered
            && !self.takes_proofs()
        {
            request.entered = Entered::Here;
        }
        let terms = self.terms();
        let client = client.or_else(|| self.peer.address()).map(|address| address.to_canonical());
        let mut attempt = SignOnAttempt::of(&request, client);
        attempt.principal = attempt.principal.chars().take(LONGEST_NAME).collect();
        let mut permitted = self.permit_request(request, attempt)?;
        let Permitted { permit, request, attempt, .. } = &mut permitted;
        let verified = gather(permit, request, &self.core, &self.peer, client, &terms.policy);
        let verified = verified.await.map_err(|why| self.refuse_password(attempt, why))?;
        attempt.principal = verified.principal().to_owned();
        self.open_permitted(permitted, verified, &terms).await
    }

    fn refuse_password(&self, attempt: &SignOnAttempt, why: Unverified) -> Refusal {
        let (refusal, denied) = match why {
            Unverified::Refused(denied) => return self.refuse_sign_on(attempt, &denied),
            Unverified::Unable(denied) => {
                log_unchecked(&denied);
                (Refusal::of(denied.reason), denied)
            }
            Unverified::Limited(limited) => {
                (limited.refusal(), Denied::new(limited.reason(), limited.to_string()))
            }
        };
        self.core.audit_refused(&self.peer, Some(attempt), &denied, &refusal.reference);
        refusal
    }
}

fn log_unchecked(Denied { reason, detail }: &Denied) {
    match UNCHECKED.due(reason.label(), clock::instant()) {
        Some(since_the_last) => {
            tracing::error!(%reason, detail, since_the_last, "a password could not be checked");
        }
        None => tracing::info!(%reason, detail, "a password could not be checked"),
    }
}

impl Limited {
    /// What is answered; the same to a front that asks leave for an attempt.
    pub(in crate::core_server) fn refusal(self) -> Refusal {
        match self {
            Self::Origin(time) | Self::Account(time) => Refusal::too_many_attempts(time),
            Self::Busy => Refusal::of(Reason::Busy),
        }
    }

    const fn reason(self) -> Reason {
        match self {
            Self::Origin(_) | Self::Account(_) => Reason::TooManyAttempts,
            Self::Busy => Reason::Busy,
        }
    }
}

static UNCHECKED: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

/// Characters of a name that the audit log repeats.
const LONGEST_NAME: usize = 256;

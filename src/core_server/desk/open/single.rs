//! One session.

use std::net::IpAddr;

use super::{Admitted, Permitted, SignOnAttempt, Terms};
use crate::audit::Handed;
use crate::clock;
use crate::core_server::desk::Desk;
use crate::core_server::desk::sessions::session;
use crate::core_server::refusal::Refusal;
use crate::core_server::request::trusted::Gathered;
use crate::core_server::request::{SessionRequest, certificate, proof, trusted};
use crate::core_server::sessions::{NotOpened, Opened};
use crate::wire::open::{ByCertificate, ByProof};
use crate::wire::{Ending, Reason, Session};

/// A session that is open, and whose audit line is on its way.
pub(super) struct Told {
    attempt: SignOnAttempt,
    opened: Opened,
    line: Handed,
}

impl Desk {
    pub(super) async fn open_proof(
        &self,
        request: ByProof,
        client: Option<IpAddr>,
    ) -> Result<Session, Refusal> {
        let attempt = SignOnAttempt::of(&request, client);
        let permitted = self.permit_request(request, attempt)?;
        let gathered = proof::gather(&[&permitted.request]).await;
        self.open_permitted(permitted, gathered, &self.terms()).await
    }

    pub(super) async fn open_certificate(
        &self,
        request: ByCertificate,
        client: Option<IpAddr>,
    ) -> Result<Session, Refusal> {
        let attempt = SignOnAttempt::of(&request, client);
        let permitted = self.permit_request(request, attempt)?;
        let terms = self.terms();
        let gathered = certificate::gather(&self.core, &terms.policy, terms.now).await;
        self.open_permitted(permitted, gathered, &terms).await
    }

    pub(super) async fn open_named<R: SessionRequest<Gathered = Gathered>>(
        &self,
        request: R,
        client: Option<IpAddr>,
    ) -> Result<Session, Refusal> {
        let attempt = SignOnAttempt::of(&request, client);
        let permitted = self.permit_request(request, attempt)?;
        let gathered = trusted::gather().await;
        self.open_permitted(permitted, gathered, &self.terms()).await
    }

    /// Opens a session for a request for which all is gathered.
    pub(super) async fn open_permitted<R: SessionRequest>(
        &self,
        permitted: Permitted<R>,
        gathered: R::Gathered,
        terms: &Terms,
    ) -> Result<Session, Refusal> {
        let Admitted { attempt, admission, origin } = self.judge(permitted, gathered, terms)?;
        if self.core.audit.forbids_sign_ons() {
            return Err(self.not_opened(&attempt, NotOpened::Unaudited));
        }
        let opened = self.core.sessions.open_one(admission, origin, terms.now).await;
        let told = self.tell(attempt, opened)?;
        self.answer(told, terms).await
    }

    /// Hands the audit line of a sign-on over.
    pub(super) fn tell(
        &self,
        attempt: SignOnAttempt,
        opened: Result<Opened, NotOpened>,
    ) -> Result<Told, Refusal> {
        let opened = opened.map_err(|error| self.not_opened(&attempt, error))?;
        for gone in &opened.evicted {
            let detail = "made room for a newer session of the same user";
            self.core.audit_gone(gone, Ending::Displaced, Some(detail));
        }
        let line = self.core.audit_granted(&self.peer, &attempt, &opened.record);
        Ok(Told { attempt, opened, line })
    }

    /// The session, once its audit line is where it has to be. One of which nothing
    /// is in the audit log, though it must, is ended again.
    pub(super) async fn answer(
        &self,
        Told { attempt, opened, line }: Told,
        terms: &Terms,
    ) -> Result<Session, Refusal> {
        if line.written_as_required().await {
            return Ok(session(opened.secret, &opened.record, &terms.policy));
        }
        // Dead at once; that it stays so is written as soon as the disk allows. Nobody
        // ever had its secret.
        let key = opened.record.key;
        let _ = self.core.sessions.end(&key, Ending::Unclaimed, clock::now()).await;
        Err(self.not_opened(&attempt, NotOpened::Unaudited))
    }

    /// Refuses a sign-on that was admitted, and could not be made a session.
    pub(super) fn not_opened(&self, attempt: &SignOnAttempt, error: NotOpened) -> Refusal {
        let (refusal, reason) = match error {
            NotOpened::SecretTaken => (Refusal::secret_taken(), Reason::NotPermitted),
            NotOpened::Unrecorded(error) => (Refusal::unrecorded(error), error.reason()),
            NotOpened::Unaudited => (Refusal::of(Reason::AuditFailed), Reason::AuditFailed),
        };
        self.core.audit_refused(&self.peer, Some(attempt), &reason.into(), &refusal.reference);
        refusal
    }
}

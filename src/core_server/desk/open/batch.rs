//! Many sessions at once: what is gathered is gathered once, what is admitted is
//! opened with one write to the disk, and all audit lines are handed over before
//! the first is waited for.

use std::net::IpAddr;

use super::{Admitted, SignOnAttempt, Terms};
use crate::core_server::desk::Desk;
use crate::core_server::refusal::Refusal;
use crate::core_server::request::{SessionRequest, certificate, proof, trusted};
use crate::core_server::rights::{OpenByProof, Permit, permit};
use crate::core_server::sessions::NotOpened;
use crate::wire::open::{ByCertificate, ByProof, Claim, Mixed, Own, Trusted};
use crate::wire::{OpenSession, Session};

/// A request, and its place in the batch.
struct Placed<R> {
    place: usize,
    client: Option<IpAddr>,
    request: R,
}

/// The requests of a batch, by kind.
#[derive(Default)]
struct Sorted {
    proofs: Vec<Placed<ByProof>>,
    certificates: Vec<Placed<ByCertificate>>,
    trusted: Vec<Placed<Trusted>>,
    own: Vec<Placed<Own>>,
}

/// What becomes of the requests, with their places.
#[derive(Default)]
struct Outcomes {
    admitted: Vec<(usize, Admitted)>,
    answers: Vec<(usize, Result<Session, Refusal>)>,
}

type Request = Result<OpenSession, Mixed>;
type Answer = Result<Session, Refusal>;

impl Desk {
    /// Opens sessions; an answer for each request, in order.
    pub(in crate::core_server) async fn open_many(
        &self,
        requests: Result<Vec<Request>, Refusal>,
    ) -> Result<Vec<Answer>, Refusal> {
        let permit = permit(self.peer.actor(), OpenByProof).map_err(|denied| {
            let refusal = Refusal::no_access(&self.peer, &denied);
            self.core.audit_refused(&self.peer, None, &denied, &refusal.reference);
            refusal
        })?;
        let (desk, requests) = (self.clone(), requests?);
        Self::uncancelled(async move { desk.open_sorted(&permit, requests).await }).await
    }

    async fn open_sorted(
        &self,
        _permit: &Permit<OpenByProof>,
        requests: Vec<Request>,
    ) -> Vec<Answer> {
        let terms = self.terms();
        let mut outcomes = Outcomes::default();
        let sorted = self.sort(requests, &mut outcomes);
        if !sorted.proofs.is_empty() {
            let proofs: Vec<_> = sorted.proofs.iter().map(|placed| &placed.request).collect();
            let gathered = proof::gather(&proofs).await;
            self.judge_all(sorted.proofs, &gathered, &terms, &mut outcomes);
        }
        if !sorted.certificates.is_empty() {
            let gathered = certificate::gather(&self.core, &terms.policy, terms.now).await;
            self.judge_all(sorted.certificates, &gathered, &terms, &mut outcomes);
        }
        if !sorted.trusted.is_empty() || !sorted.own.is_empty() {
            let gathered = trusted::gather().await;
            self.judge_all(sorted.trusted, &gathered, &terms, &mut outcomes);
            self.judge_all(sorted.own, &gathered, &terms, &mut outcomes);
        }
        let Outcomes { admitted, mut answers } = outcomes;
        answers.extend(self.open_all(admitted, &terms).await);
        answers.sort_unstable_by_key(|(place, _)| *place);
        answers.into_iter().map(|(_, answer)| answer).collect()
    }

    fn sort(&self, requests: Vec<Request>, outcomes: &mut Outcomes) -> Sorted {
        let mut sorted = Sorted::default();
        for (place, request) in requests.into_iter().enumerate() {
            let (client, claim) = match request {
                Ok(OpenSession { client, claim }) => (self.client(client), claim),
                Err(mixed) => {
                    outcomes.answers.push((place, Err(self.mixed(mixed))));
                    continue;
                }
            };
            match claim {
                Claim::Proof(request) => sorted.proofs.push(Placed { place, client, request }),
                Claim::Certificate(request) => {
                    sorted.certificates.push(Placed { place, client, request });
                }
                Claim::Trusted(request) => sorted.trusted.push(Placed { place, client, request }),
                Claim::Own(request) => sorted.own.push(Placed { place, client, request }),
                Claim::Password(_) => {
                    let message = "Send a password alone, to POST /v1/sessions.";
                    outcomes.answers.push((place, Err(Refusal::bad_request(message))));
                }
            }
        }
        sorted
    }

    fn judge_all<R: SessionRequest<Gathered: Clone>>(
        &self,
        requests: Vec<Placed<R>>,
        gathered: &R::Gathered,
        terms: &Terms,
        outcomes: &mut Outcomes,
    ) {
        for Placed { place, client, request } in requests {
            let attempt = SignOnAttempt::of(&request, client);
            let admitted = self
                .permit_request(request, attempt)
                .and_then(|permitted| self.judge(permitted, gathered.clone(), terms));
            match admitted {
                Ok(admitted) => outcomes.admitted.push((place, admitted)),
                Err(refusal) => outcomes.answers.push((place, Err(refusal))),
            }
        }
    }

    async fn open_all(
        &self,
        admitted: Vec<(usize, Admitted)>,
        terms: &Terms,
    ) -> Vec<(usize, Answer)> {
        let opening = admitted.into_iter().map(|(place, admitted)| {
            let Admitted { attempt, admission, origin } = admitted;
            ((place, attempt), admission, origin)
        });
        let opened = if self.core.audit.forbids_sign_ons() {
            opening.map(|(whose, ..)| (whose, Err(NotOpened::Unaudited))).collect()
        } else {
            self.core.sessions.open(opening.collect(), terms.now).await
        };
        let told: Vec<_> = opened
            .into_iter()
            .map(|((place, attempt), opened)| (place, self.tell(attempt, opened)))
            .collect();
        let mut answers = Vec::with_capacity(told.len());
        for (place, told) in told {
            let answer = match told {
                Ok(told) => self.answer(told, terms).await,
                Err(refusal) => Err(refusal),
            };
            answers.push((place, answer));
        }
        answers
    }
}

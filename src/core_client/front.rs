//! What fronts ask of the core.

use http::StatusCode;

use super::{Client, ClientError, Events};
use crate::wire::attempts::{AttemptAnswer, AttemptAnswers, Attempts};
use crate::wire::{ErrorBody, OpenSession, Session, SignOnAnswer, SignOnAnswers, SignOns};

impl Client {
    /// Opens several sessions at the cost of one round trip; an answer for each, in order.
    ///
    /// # Errors
    /// The whole was refused (`no_access`, `bad_request`), or the core cannot be asked.
    pub(crate) async fn open_many(
        &self,
        proofs: Vec<OpenSession>,
    ) -> Result<Vec<Result<Session, ErrorBody>>, ClientError> {
        let asked = proofs.len();
        let SignOnAnswers { answers } =
            self.post("/v1/sign-ons", &SignOns { proofs }, StatusCode::OK).await?;
        if answers.len() != asked {
            let what = format!("{} answers to {asked} sign-ons", answers.len());
            return Err(self.pool.protocol(what));
        }
        let each = answers.into_iter().map(|answer| match answer {
            SignOnAnswer::Granted(session) => Ok(session),
            SignOnAnswer::Refused(error) => Err(error),
            SignOnAnswer::Other => Err(ErrorBody::of_newer_core()),
        });
        Ok(each.collect())
    }

    /// Begins and ends attempts at passwords that are checked elsewhere; an answer
    /// for each that begins, in order.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `no_access`; or the core cannot be asked.
    pub(crate) async fn attempts(
        &self,
        attempts: &Attempts,
    ) -> Result<Vec<AttemptAnswer>, ClientError> {
        let AttemptAnswers { answers } =
            self.post("/v1/attempts", attempts, StatusCode::OK).await?;
        if answers.len() != attempts.begin.len() {
            let what = format!("{} answers to {} attempts", answers.len(), attempts.begin.len());
            return Err(self.pool.protocol(what));
        }
        Ok(answers)
    }

    /// Listens to the core's events, on a connection of its own.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `no_access` for a peer that is no front;
    /// or the core cannot be asked.
    pub(crate) async fn events(&self) -> Result<Events, ClientError> {
        let answer = self.in_time(self.pool.stream("/v1/events")).await?;
        match answer {
            Ok(body) => Ok(Events::new(body, self.pool.target().to_string())),
            Err((status, body)) => Err(self.refusal(status, &body)),
        }
    }
}

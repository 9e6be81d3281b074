//! Drives an exchange from one token of the client to the next, or to its end:
//! has done what the mechanism asks for, and feeds the answers back. Whatever
//! door the token came by says what performs the work.

use std::net::IpAddr;
use std::sync::Arc;

use super::exchange::{Exchange, Step};
use super::ntlm::attempt::{Attempts, verify};
use super::ntlm::{Acceptor, Challenged, Negotiate, Question, Verified};
use super::outcome::{Challenge, Outcome};
use super::{Terms, kerberos};
use crate::wire::{Denied, Reason};

/// Performs the work that exchanges ask for.
pub(crate) trait Perform {
    /// Has the Kerberos library accept a token.
    fn accept(&self, accept: kerberos::Accept) -> impl Future<Output = kerberos::Answer> + Send;

    /// Gets a challenge for a client of NTLM.
    fn challenge(
        &self,
        negotiate: Negotiate,
    ) -> impl Future<Output = Result<Challenged, Denied>> + Send;

    /// Has a client's answer to its challenge verified.
    fn verify(&self, question: Question) -> impl Future<Output = Result<Verified, Denied>> + Send;
}

/// How far a token of the client has brought the exchange.
#[derive(Debug)]
pub(crate) enum Progress {
    /// The client is sent a challenge, and answers on the same connection.
    Open(Exchange, Challenge),
    /// The exchange is over.
    Done(Outcome),
}

/// Takes a token of the client; `unfinished` is what its connection has kept of
/// the tokens before.
pub(crate) async fn drive(
    unfinished: Option<Exchange>,
    terms: Terms,
    token: Vec<u8>,
    by: &impl Perform,
) -> Progress {
    let mut step = match unfinished {
        Some(exchange) => exchange.token(terms, token),
        None => Exchange::begin(terms, token),
    };
    loop {
        step = match step {
            Step::Accept(accepting, accept) => {
                tracing::debug!("the Kerberos library is asked");
                accepting.answer(by.accept(accept).await).into()
            }
            Step::Challenge(opening, negotiate) => {
                tracing::debug!("waiting for a challenge");
                opening.answer(by.challenge(negotiate).await).into()
            }
            Step::Verify(verifying, question) => {
                tracing::debug!("winbind is asked");
                verifying.answer(by.verify(question).await).into()
            }
            Step::Ask(exchange, challenge) => {
                tracing::debug!(
                    bytes = challenge.token.len(),
                    "waiting for the client's next token"
                );
                return Progress::Open(exchange, challenge);
            }
            Step::Done(outcome) => {
                tell(&outcome);
                return Progress::Done(outcome);
            }
        };
    }
}

fn tell(outcome: &Outcome) {
    let Outcome::Proven { proof, .. } = outcome else { return };
    let proven = proof.message();
    let ends_at = proven.ends_at.map(tracing::field::display);
    let (principal, channel_bound) = (&proven.principal, proven.channel_bound);
    tracing::debug!(principal, channel_bound, ends_at, "proven");
}

/// What performs the work in a front.
#[derive(Debug)]
pub(crate) struct Services<'a, A> {
    pub kerberos: &'a kerberos::Pool,
    /// Nothing where NTLM is offered nowhere.
    pub ntlm: Option<&'a Arc<Acceptor>>,
    /// Gives leave to have a password checked.
    pub attempts: &'a A,
    /// Whose passwords are tried.
    pub client: IpAddr,
}

impl<A: Attempts> Perform for Services<'_, A> {
    async fn accept(&self, accept: kerberos::Accept) -> kerberos::Answer {
        self.kerberos.accept(accept).await
    }

    async fn challenge(&self, negotiate: Negotiate) -> Result<Challenged, Denied> {
        self.ntlm()?.challenge(&negotiate).await
    }

    async fn verify(&self, question: Question) -> Result<Verified, Denied> {
        verify(self.ntlm()?, self.attempts, self.client, question).await
    }
}

impl<A> Services<'_, A> {
    fn ntlm(&self) -> Result<&Arc<Acceptor>, Denied> {
        let off = "NTLM is offered nowhere in this configuration";
        self.ntlm.ok_or_else(|| Denied::new(Reason::NtlmSent, off))
    }
}

#[cfg(test)]
mod tests;

//! The exchange of tokens with one client on one connection: which mechanism, and
//! what comes next.

use super::outcome::{Challenge, Outcome, Turn};
use super::spnego::{self, NtlmFraming, Opening};
use super::terms::Terms;
use super::{kerberos, ntlm};
use crate::wire::mechanism::Scheme;
use crate::wire::{Mechanism, Reason};

/// An exchange whose client is to send its next token.
#[derive(Debug)]
pub(crate) enum Exchange {
    Kerberos(kerberos::Asked),
    Ntlm(ntlm::Asked),
}

/// What is to be done next. Work is in one piece with the state that waits for its
/// answer, and takes no other.
#[derive(Debug)]
pub(super) enum Step {
    /// Have the Kerberos library accept a token.
    Accept(kerberos::Accepting, kerberos::Accept),
    /// Get a challenge for the client.
    Challenge(Box<ntlm::Opening>, ntlm::Negotiate),
    /// Have the client's answer to it verified.
    Verify(Box<ntlm::Verifying>, ntlm::Question),
    /// Ask the client for its next token, which must come on this connection.
    Ask(Exchange, Challenge),
    /// The exchange is over.
    Done(Outcome),
}

impl Exchange {
    /// The first token of a client: which mechanism does it choose?
    pub(super) fn begin(terms: Terms, token: Vec<u8>) -> Step {
        let (reason, detail) = match (spnego::read(&token), terms.scheme) {
            (Opening::Kerberos, Scheme::Negotiate) => return kerberos::begin(terms, token).into(),
            (Opening::Ntlm(framing), _) if terms.ntlm => return ntlm::begin(terms, framing).into(),
            (Opening::Ntlm(NtlmFraming::Spnego { kerberos_too: true, .. }), Scheme::Negotiate) => {
                return kerberos::begin(terms, token).into();
            }
            (Opening::Ntlm(_), _) => {
                let detail = "the client sent NTLM, which is not offered: \
                              it found no Kerberos ticket for this name";
                (Reason::NtlmSent, detail.to_owned())
            }
            (Opening::Other(offered), _) => {
                (Reason::WrongMechanism, format!("the client offers only {}", offered.join(", ")))
            }
            (Opening::Continuation, _) => {
                let detail = "the token continues an exchange that did not begin on this \
                              connection: does a proxy spread one client over several connections?";
                (Reason::ExchangeInterrupted, detail.to_owned())
            }
            (Opening::Unreadable(part), _) => {
                let detail = format!("the token of {} bytes is not readable: {part}", token.len());
                (Reason::DefectiveToken, detail)
            }
            (Opening::Kerberos, Scheme::Ntlm) => {
                (Reason::DefectiveToken, "a Kerberos token came with the scheme NTLM".to_owned())
            }
        };
        Step::Done(Outcome::refused(terms.scheme.mechanism(), reason, detail))
    }

    /// The client's next token. What was begun at one site is never finished at a
    /// stricter one, nor under another scheme: under other terms a new exchange begins.
    pub(super) fn token(self, terms: Terms, token: Vec<u8>) -> Step {
        match self {
            _ if *self.terms() != terms => Self::begin(terms, token),
            Self::Kerberos(asked) => asked.token(token).into(),
            Self::Ntlm(asked) => asked.token(token).into(),
        }
    }

    /// What it will prove somebody by.
    pub(crate) fn mechanism(&self) -> Mechanism {
        match self {
            Self::Kerberos(_) => Mechanism::Negotiate,
            Self::Ntlm(_) => Mechanism::Ntlm,
        }
    }

    fn terms(&self) -> &Terms {
        match self {
            Self::Kerberos(asked) => asked.terms(),
            Self::Ntlm(asked) => asked.terms(),
        }
    }
}

impl From<kerberos::Turn> for Step {
    fn from(turn: kerberos::Turn) -> Self {
        match turn {
            Turn::Do((accepting, accept)) => Self::Accept(accepting, accept),
            Turn::Ask(asked, challenge) => Self::Ask(Exchange::Kerberos(asked), challenge),
            Turn::Done(outcome) => Self::Done(outcome),
            Turn::Anew(terms, token) => Exchange::begin(terms, token),
        }
    }
}

impl From<ntlm::Turn> for Step {
    fn from(turn: ntlm::Turn) -> Self {
        match turn {
            Turn::Do(ntlm::Work::Challenge(opening, negotiate)) => {
                Self::Challenge(opening, negotiate)
            }
            Turn::Do(ntlm::Work::Verify(verifying, question)) => Self::Verify(verifying, question),
            Turn::Ask(asked, challenge) => Self::Ask(Exchange::Ntlm(asked), challenge),
            Turn::Done(outcome) => Self::Done(outcome),
            Turn::Anew(terms, token) => Exchange::begin(terms, token),
        }
    }
}

#[cfg(test)]
impl Step {
    /// The reason of a refusal without a token for the client.
    pub(super) fn refusal(self) -> Reason {
        match self {
            Self::Done(Outcome::Refused(refused)) if refused.reply.is_none() => refused.reason,
            other => panic!("no refusal of our own: {other:?}"),
        }
    }

    /// The state that waits for the client, and the token that it is sent.
    pub(super) fn asked(self) -> (Exchange, Vec<u8>) {
        match self {
            Self::Ask(exchange, challenge) => (exchange, challenge.token),
            other => panic!("no challenge: {other:?}"),
        }
    }

    pub(super) fn is_proven(&self) -> bool {
        matches!(self, Self::Done(Outcome::Proven { .. }))
    }
}

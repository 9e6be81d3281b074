//! Kerberos by GSSAPI (RFC 4121) in SPNEGO (RFC 4178) or bare: the exchange,
//! without I/O.

use std::sync::Arc;

use super::{
    Bindings, Challenge, Channel, Effect, Exchange, Outcome, Proof, Refused, Step, Terms, spnego,
};
use crate::clock::Timestamp;
use crate::config::checked::ChannelBinding;
use crate::wire::{self, Mechanism, Reason};

mod failure;
pub(crate) mod pool;
pub(crate) mod ticket;
mod workers;

pub(crate) use crate::krb5::accept::{Accept, Context};
pub(crate) use pool::Pool;

/// Legs of one exchange at most. Kerberos takes one; SPNEGO adds one when the
/// client's first guess was another mechanism, and one for its checksum.
const MAX_LEGS: u8 = 6;

/// An exchange that is under way.
#[derive(Debug)]
pub(crate) enum InProgress {
    /// The library has the context and works on a token.
    Accepting {
        /// The terms of the exchange.
        terms: Terms,
        /// How many tokens the client has sent.
        legs: u8,
    },
    /// The client is to send its next token.
    Asked {
        /// The terms of the exchange.
        terms: Terms,
        /// How many tokens the client has sent.
        legs: u8,
        /// The library's half-made context.
        context: Context,
    },
}

/// What became of a token.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The library wants to hear more.
    Continue {
        /// Its half-made context.
        context: Context,
        /// What to send to the client.
        token: Vec<u8>,
    },
    /// The ticket and everything around it is right.
    Established(Established),
    /// It is not.
    Refused {
        /// Why.
        reason: Reason,
        /// What was wrong and what mends it, for the log.
        detail: String,
        /// A token that tells the client so.
        reply: Option<Vec<u8>>,
    },
}

/// Facts of a finished context. Only [`Pool`] makes them.
#[derive(Debug)]
pub(crate) struct Established {
    principal: Vec<u8>,
    acceptor_realm: Option<String>,
    channel_bound: bool,
    ends_at: Timestamp,
    account: Option<Box<wire::Account>>,
    groups: Vec<String>,
    reply: Option<Vec<u8>>,
}

/// The first token of a client, which chose Kerberos by it.
pub(super) fn begin(terms: Terms, token: Vec<u8>) -> (Exchange, Step) {
    if terms.channel_binding == ChannelBinding::Require && bindings(&terms).is_none() {
        let detail = "channel_binding = \"require\", but plain HTTP has no channel to bind to";
        return refuse(terms, Reason::BindingMissing, detail.to_owned());
    }
    accept(terms, 1, Context::fresh(), token)
}

/// What the library is to check the client's channel binding against. Over plain
/// HTTP a token that is bound to a channel was made for another connection: so
/// it is compared with a binding that no channel has. Unbound ones pass.
fn bindings(terms: &Terms) -> Option<Arc<Bindings>> {
    match (terms.channel_binding, &terms.channel) {
        (ChannelBinding::Allow | ChannelBinding::Require, Channel::Tls(own)) => {
            Some(Arc::clone(own))
        }
        (ChannelBinding::Allow, Channel::Plain) => Some(Arc::new(Bindings::of_no_channel())),
        _ => None,
    }
}

fn accept(terms: Terms, legs: u8, context: Context, token: Vec<u8>) -> (Exchange, Step) {
    let bindings = bindings(&terms);
    let effect = Effect::AcceptGss(Accept { context, token, bindings });
    (Exchange::Kerberos(InProgress::Accepting { terms, legs }), Step::Do(effect))
}

impl InProgress {
    pub(super) fn terms(&self) -> &Terms {
        match self {
            Self::Accepting { terms, .. } | Self::Asked { terms, .. } => terms,
        }
    }

    /// The client's next token.
    pub(super) fn token(self, token: Vec<u8>) -> (Exchange, Step) {
        match self {
            Self::Asked { terms, .. } if spnego::begins_anew(&token) => super::begin(terms, token),
            Self::Asked { terms, legs, .. } if legs >= MAX_LEGS => {
                let detail = format!("no end after {MAX_LEGS} tokens");
                refuse(terms, Reason::ExchangeTooLong, detail)
            }
            Self::Asked { terms, legs, context } => accept(terms, legs + 1, context, token),
            Self::Accepting { terms, .. } => refuse(
                terms,
                Reason::ExchangeInterrupted,
                "a token came while the previous one was still being checked".to_owned(),
            ),
        }
    }

    /// What the library says to the token it was given.
    pub(super) fn answer(self, answer: Answer) -> (Exchange, Step) {
        let (terms, legs) = match self {
            Self::Accepting { terms, legs } => (terms, legs),
            Self::Asked { terms, .. } => {
                let detail = "an answer came without a token".to_owned();
                return refuse(terms, Reason::ExchangeInterrupted, detail);
            }
        };
        match answer {
            Answer::Continue { context, token } => {
                let next = Self::Asked { terms, legs, context };
                (Exchange::Kerberos(next), Step::Ask(Challenge { token }))
            }
            Answer::Refused { reason, detail, reply } => {
                let refused = Refused { mechanism: Mechanism::Negotiate, reason, detail, reply };
                (Exchange::Fresh(terms), Step::Done(Outcome::Refused(refused)))
            }
            Answer::Established(facts) => conclude(terms, facts),
        }
    }
}

/// From a finished context to a proof.
fn conclude(terms: Terms, facts: Established) -> (Exchange, Step) {
    if terms.channel_binding == ChannelBinding::Require && !facts.channel_bound {
        let detail =
            "channel_binding = \"require\", but the client did not bind its token to a channel";
        return refuse(terms, Reason::BindingMissing, detail.to_owned());
    }
    let principal = match String::from_utf8(facts.principal) {
        Ok(principal) => principal,
        Err(error) => {
            let detail =
                format!("the principal is not UTF-8: {}", error.into_bytes().escape_ascii());
            return refuse(terms, Reason::OddPrincipal, detail);
        }
    };
    let proof = Proof(wire::Proof {
        mechanism: Mechanism::Negotiate,
        principal,
        acceptor_realm: facts.acceptor_realm,
        account: facts.account,
        public_key: None,
        channel_bound: facts.channel_bound,
        ends_at: Some(facts.ends_at),
        groups: facts.groups,
    });
    (Exchange::Fresh(terms), Step::Done(Outcome::Proven { proof, reply: facts.reply }))
}

fn refuse(terms: Terms, reason: Reason, detail: String) -> (Exchange, Step) {
    super::refuse(terms, Mechanism::Negotiate, reason, detail)
}

/// The realm of a principal in display form: after the last `@` that no
/// backslash quotes (RFC 1964 section 2.1.1).
fn realm(principal: &str) -> Option<&str> {
    let mut quoted = false;
    let mut at = None;
    for (index, character) in principal.char_indices() {
        match character {
            _ if quoted => quoted = false,
            '\\' => quoted = true,
            '@' => at = Some(index + 1),
            _ => {}
        }
    }
    at.and_then(|start| principal.get(start..)).filter(|realm| !realm.is_empty())
}

#[cfg(test)]
mod tests;

//! Kerberos by GSSAPI (RFC 4121) in SPNEGO (RFC 4178) or bare: the exchange,
//! without I/O.

use std::sync::Arc;

use super::outcome::{Challenge, Outcome, Proof, Refused};
use super::terms::{Channel, Terms};
use super::{outcome, spnego};
use crate::clock::Timestamp;
use crate::config::section::ChannelBinding;
use crate::krb5::bindings::Bindings;
use crate::krb5::gss;
use crate::wire::{self, Mechanism, Reason};
use ticket::{TicketService, Unreadable};

mod failure;
pub(crate) mod pool;
mod ticket;
mod workers;

pub(crate) use pool::Pool;

/// Legs of one exchange at most. Kerberos takes one; SPNEGO adds one when the
/// client's first guess was another mechanism, and one for its checksum.
const MAX_LEGS: u8 = 6;

/// The library works on a token.
#[derive(Debug)]
pub(crate) struct Accepting {
    terms: Terms,
    /// How many tokens the client has sent.
    legs: u8,
}

/// The client is to send its next token.
#[derive(Debug)]
pub(crate) struct Asked {
    terms: Terms,
    /// How many tokens the client has sent.
    legs: u8,
    context: Context,
}

pub(super) type Turn = outcome::Turn<(Accepting, Accept), Asked>;

/// What is kept of the tokens before.
#[derive(Debug)]
pub(crate) struct Context {
    /// The library's half-made context.
    library: gss::Context,
    /// The service of the ticket that came, as far as one came.
    service: Option<Result<TicketService, Unreadable>>,
}

impl Context {
    fn fresh() -> Self {
        Self { library: gss::Context::fresh(), service: None }
    }
}

/// A token to accept. Give it to [`Pool::accept`].
#[derive(Debug)]
pub(crate) struct Accept {
    context: Context,
    token: Vec<u8>,
    bindings: Option<Arc<Bindings>>,
}

/// What became of a token.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The library wants to hear more.
    Continue {
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
        /// What was wrong and what fixes it, for the log.
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
pub(super) fn begin(terms: Terms, token: Vec<u8>) -> Turn {
    if terms.channel_binding == ChannelBinding::Require && bindings(&terms).is_none() {
        let detail = "channel_binding = \"require\", but plain HTTP has no channel to bind to";
        return refuse(Reason::BindingMissing, detail.to_owned());
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

fn accept(terms: Terms, legs: u8, context: Context, token: Vec<u8>) -> Turn {
    let bindings = bindings(&terms);
    Turn::Do((Accepting { terms, legs }, Accept { context, token, bindings }))
}

impl Asked {
    pub(super) fn terms(&self) -> &Terms {
        &self.terms
    }

    /// The client's next token.
    pub(super) fn token(self, token: Vec<u8>) -> Turn {
        let Self { terms, legs, context } = self;
        if spnego::begins_anew(&token) {
            return Turn::Anew(terms, token);
        }
        if legs >= MAX_LEGS {
            return refuse(Reason::ExchangeTooLong, format!("no end after {MAX_LEGS} tokens"));
        }
        accept(terms, legs + 1, context, token)
    }
}

impl Accepting {
    /// What the library says to the token it was given.
    pub(super) fn answer(self, answer: Answer) -> Turn {
        let Self { terms, legs } = self;
        match answer {
            Answer::Continue { context, token } => {
                Turn::Ask(Asked { terms, legs, context }, Challenge { token })
            }
            Answer::Refused { reason, detail, reply } => {
                let mechanism = Mechanism::Negotiate;
                Turn::Done(Outcome::Refused(Refused { mechanism, reason, detail, reply }))
            }
            Answer::Established(facts) => conclude(&terms, facts),
        }
    }
}

/// From a finished context to a proof.
fn conclude(terms: &Terms, facts: Established) -> Turn {
    if terms.channel_binding == ChannelBinding::Require && !facts.channel_bound {
        let detail =
            "channel_binding = \"require\", but the client did not bind its token to a channel";
        return refuse(Reason::BindingMissing, detail.to_owned());
    }
    let principal = match String::from_utf8(facts.principal) {
        Ok(principal) => principal,
        Err(error) => {
            let detail =
                format!("the principal is not UTF-8: {}", error.into_bytes().escape_ascii());
            return refuse(Reason::OddPrincipal, detail);
        }
    };
    let proof = Proof::new(wire::Proof {
        mechanism: Mechanism::Negotiate,
        principal,
        acceptor_realm: facts.acceptor_realm,
        account: facts.account,
        public_key: None,
        channel_bound: facts.channel_bound,
        ends_at: Some(facts.ends_at),
        groups: facts.groups,
    });
    Turn::Done(Outcome::Proven { proof, reply: facts.reply })
}

fn refuse(reason: Reason, detail: String) -> Turn {
    Turn::Done(Outcome::refused(Mechanism::Negotiate, reason, detail))
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

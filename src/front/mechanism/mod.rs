//! Mechanisms of signing on, without I/O.
//!
//! A mechanism knows no HTTP, no socket and no clock. [`Exchange::advance`]
//! consumes a state and returns the next one with a [`Step`]; whoever holds the
//! connection performs the step and feeds back what came of it:
//!
//! ```text
//! header ─choose─▶ token ─▶ advance ─▶ Do(effect) ─▶ performed elsewhere ─▶ answer ─▶ advance ─▶ …
//!                                   ├▶ Ask(challenge): the client's next token comes on this connection
//!                                   └▶ Done(outcome)
//! ```

use std::sync::Arc;

use crate::config::checked::ChannelBinding;
use crate::wire::{self, Reason};

pub mod choose;
pub mod kerberos;
pub mod ntlm;
pub mod spnego;

/// Proof of who is there: made only by a mechanism.
#[derive(Clone, Debug)]
pub struct Proof(wire::Proof);

impl Proof {
    /// What was proven.
    pub fn message(&self) -> &wire::Proof {
        &self.0
    }

    /// The message that carries it to the core.
    pub fn into_message(self) -> wire::Proof {
        self.0
    }
}

/// The application data of GSS channel bindings, which name one TLS channel
/// (RFC 5929 section 4, RFC 5056 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bindings(Vec<u8>);

impl Bindings {
    /// The binding of a channel whose server certificate has this hash.
    pub fn tls_server_end_point(certificate_hash: &[u8]) -> Self {
        Self([b"tls-server-end-point:", certificate_hash].concat())
    }

    /// The application data itself.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Under which terms a client may sign on here: the site's policy, and the
/// channel on which the request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// What the site asks of channel bindings.
    pub channel_binding: ChannelBinding,
    /// The channel's own binding; `None` on plain HTTP.
    pub bindings: Option<Arc<Bindings>>,
}

/// The exchange of tokens with one client on one connection.
#[derive(Debug)]
pub enum Exchange {
    /// Nothing was sent yet, or the last exchange is done.
    Fresh(Terms),
    /// Kerberos is at work, or waits for the client's next token.
    Kerberos(kerberos::InProgress),
}

/// What an exchange is fed.
#[derive(Debug)]
pub enum Input {
    /// The client's token, out of its base64.
    Token(Vec<u8>),
    /// What became of [`Effect::AcceptGss`].
    Gss(kerberos::Answer),
}

/// What is to be done next.
#[derive(Debug)]
pub enum Step {
    /// Perform this, and feed the answer back.
    Do(Effect),
    /// Ask the client for its next token, which must come on this connection.
    Ask(Challenge),
    /// The exchange is over.
    Done(Outcome),
}

/// Work that takes more than thinking.
#[derive(Debug)]
pub enum Effect {
    /// Give this to [`kerberos::Pool::accept`].
    AcceptGss(kerberos::Accept),
}

/// A challenge in the middle of an exchange: `WWW-Authenticate: Negotiate <token>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// The token, before base64.
    pub token: Vec<u8>,
}

/// How an exchange ended.
#[derive(Debug)]
pub enum Outcome {
    /// The client is who it says.
    Proven {
        /// The proof.
        proof: Proof,
        /// The acceptor's own proof to the client (mutual authentication),
        /// for `WWW-Authenticate` of the final answer (RFC 4559 section 5).
        reply: Option<Vec<u8>>,
    },
    /// The client is not signed on.
    Refused {
        /// Why.
        reason: Reason,
        /// The story behind the reason, for the log: what was wrong and what mends it.
        detail: String,
        /// A token that tells the client so.
        reply: Option<Vec<u8>>,
    },
}

impl Exchange {
    /// An exchange that has not begun.
    pub fn new(terms: Terms) -> Self {
        Self::Fresh(terms)
    }

    /// The terms it was begun under.
    pub fn terms(&self) -> &Terms {
        match self {
            Self::Fresh(terms) => terms,
            Self::Kerberos(exchange) => exchange.terms(),
        }
    }

    /// This exchange where it was begun under the same terms, otherwise a new
    /// one: what was begun at one site is never finished at a stricter one.
    pub fn under(self, terms: Terms) -> Self {
        if *self.terms() == terms { self } else { Self::Fresh(terms) }
    }

    /// The next state, and what is to be done.
    pub fn advance(self, input: Input) -> (Self, Step) {
        match (self, input) {
            (Self::Fresh(terms), Input::Token(token)) => kerberos::begin(terms, token),
            (Self::Kerberos(exchange), Input::Token(token)) => exchange.token(token),
            (Self::Kerberos(exchange), Input::Gss(answer)) => exchange.answer(answer),
            (Self::Fresh(terms), Input::Gss(_)) => refuse(
                terms,
                Reason::ExchangeInterrupted,
                "an answer came for an exchange that was given up".to_owned(),
            ),
        }
    }
}

/// Ends an exchange without a proof and without a token for the client.
fn refuse(terms: Terms, reason: Reason, detail: String) -> (Exchange, Step) {
    let outcome = Outcome::Refused { reason, detail, reply: None };
    (Exchange::Fresh(terms), Step::Done(outcome))
}

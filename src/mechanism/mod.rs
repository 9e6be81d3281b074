//! Mechanisms of signing on, without I/O.
//!
//! A mechanism knows no HTTP, no socket and no clock. [`Exchange::advance`] consumes a state and
//! returns the next one with a [`Step`]; the owner of the connection performs the step and feeds
//! back the result:
//!
//! ```text
//! header ─choose─▶ token ─▶ advance ─▶ Do(effect) ─▶ performed elsewhere ─▶ answer ─▶ advance ─▶ …
//!                                   ├▶ Ask(challenge): the client's next token comes on this connection
//!                                   └▶ Done(outcome)
//! ```

use std::sync::Arc;

use crate::config::checked::ChannelBinding;
use crate::wire::{self, Mechanism, Reason};
use ntlm::Targets;
use spnego::{NtlmFraming, Opening};

pub(crate) mod basic;
pub(crate) mod certificate;
pub(crate) mod choose;
pub(crate) mod kerberos;
pub(crate) mod ntlm;
pub(crate) mod spnego;

pub(crate) use crate::wire::mechanism::Scheme;

/// Proof of who is there: made only by a mechanism.
#[derive(Clone, Debug)]
pub(crate) struct Proof(wire::Proof);

impl Proof {
    /// What was proven.
    pub(crate) fn message(&self) -> &wire::Proof {
        &self.0
    }

    /// The message that carries it to the core.
    pub(crate) fn into_message(self) -> wire::Proof {
        self.0
    }
}

/// The application data of GSS channel bindings, which name one TLS channel
/// (RFC 5929 section 4, RFC 5056 section 2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bindings(Vec<u8>);

impl Bindings {
    /// The binding of a channel whose server certificate has this hash.
    pub(crate) fn tls_server_end_point(certificate_hash: &[u8]) -> Self {
        Self([b"tls-server-end-point:", certificate_hash].concat())
    }

    /// A binding that is no channel's.
    pub(crate) fn of_no_channel() -> Self {
        Self(b"doorward: no channel".to_vec())
    }

    /// The application data itself.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// What is known of the channel between us and the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Channel {
    /// Plain HTTP, from the client itself: there is nothing to bind to.
    Plain,
    /// TLS that ends here.
    Tls(Arc<Bindings>),
    /// A trusted proxy's: the client's own channel ends there, and is not known.
    Proxied,
}

/// Under which terms a client may sign on here: the site's policy, and how the
/// request came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Terms {
    /// The scheme that the tokens come under.
    pub scheme: Scheme,
    /// Whether NTLM is taken.
    pub ntlm: bool,
    /// What the site asks of channel bindings.
    pub channel_binding: ChannelBinding,
    /// The channel.
    pub channel: Channel,
    /// For which services an answer by NTLM may be made.
    pub targets: Targets,
}

/// The exchange of tokens with one client on one connection.
#[derive(Debug)]
pub(crate) enum Exchange {
    /// Nothing was sent yet, or the last exchange is done.
    Fresh(Terms),
    /// Kerberos is at work, or waits for the client's next token.
    Kerberos(kerberos::InProgress),
    /// NTLM is at work, or waits for the client's next message.
    Ntlm(Box<ntlm::InProgress>),
}

/// What an exchange is fed.
#[derive(Debug)]
pub(crate) enum Input {
    /// The client's token, out of its base64.
    Token(Vec<u8>),
    /// What became of [`Effect::AcceptGss`].
    Gss(kerberos::Answer),
    /// What became of [`Effect::AskNtlm`].
    Ntlm(ntlm::Answer),
}

/// What is to be done next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Perform this, and feed the answer back.
    Do(Effect),
    /// Ask the client for its next token, which must come on this connection.
    Ask(Challenge),
    /// The exchange is over.
    Done(Outcome),
}

/// Work that takes more than thinking.
#[derive(Debug)]
pub(crate) enum Effect {
    /// Give this to [`kerberos::Pool::accept`].
    AcceptGss(kerberos::Accept),
    /// Give this to [`ntlm::Acceptor::answer`].
    AskNtlm(ntlm::Question),
}

/// A challenge in the middle of an exchange: `WWW-Authenticate: Negotiate <token>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Challenge {
    /// The token, before base64.
    pub token: Vec<u8>,
}

/// How an exchange ended.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The client is who it says.
    Proven {
        /// The proof.
        proof: Proof,
        /// The acceptor's own proof to the client (mutual authentication),
        /// for `WWW-Authenticate` of the final answer (RFC 4559 section 5).
        reply: Option<Vec<u8>>,
    },
    /// The client is not signed on.
    Refused(Refused),
}

/// An attempt that failed.
#[derive(Debug)]
pub(crate) struct Refused {
    /// By what it was tried.
    pub mechanism: Mechanism,
    /// Why.
    pub reason: Reason,
    /// The story behind the reason, for the log: what was wrong and what mends it.
    pub detail: String,
    /// A token that tells the client so.
    pub reply: Option<Vec<u8>>,
}

impl Exchange {
    /// An exchange that has not begun.
    pub(crate) fn new(terms: Terms) -> Self {
        Self::Fresh(terms)
    }

    /// The terms it was begun under.
    pub(crate) fn terms(&self) -> &Terms {
        match self {
            Self::Fresh(terms) => terms,
            Self::Kerberos(exchange) => exchange.terms(),
            Self::Ntlm(exchange) => exchange.terms(),
        }
    }

    /// What it will prove somebody by, as far as that is known.
    pub(crate) fn mechanism(&self) -> Mechanism {
        match self {
            Self::Fresh(terms) => terms.scheme.mechanism(),
            Self::Kerberos(_) => Mechanism::Negotiate,
            Self::Ntlm(_) => Mechanism::Ntlm,
        }
    }

    /// This exchange where it was begun under the same terms, otherwise a new
    /// one: what was begun at one site is never finished at a stricter one, nor
    /// under another scheme.
    pub(crate) fn under(self, terms: Terms) -> Self {
        if *self.terms() == terms { self } else { Self::Fresh(terms) }
    }

    /// The next state, and what is to be done.
    pub(crate) fn advance(self, input: Input) -> (Self, Step) {
        match (self, input) {
            (Self::Fresh(terms), Input::Token(token)) => begin(terms, token),
            (Self::Kerberos(exchange), Input::Token(token)) => exchange.token(token),
            (Self::Kerberos(exchange), Input::Gss(answer)) => exchange.answer(answer),
            (Self::Ntlm(exchange), Input::Token(token)) => exchange.token(token),
            (Self::Ntlm(exchange), Input::Ntlm(answer)) => exchange.answer(answer),
            (exchange, Input::Gss(_) | Input::Ntlm(_)) => {
                let terms = exchange.terms().clone();
                let mechanism = terms.scheme.mechanism();
                let detail = "an answer came for an exchange that was given up".to_owned();
                refuse(terms, mechanism, Reason::ExchangeInterrupted, detail)
            }
        }
    }
}

/// The first token of a client: which mechanism does it choose?
fn begin(terms: Terms, token: Vec<u8>) -> (Exchange, Step) {
    let mechanism = terms.scheme.mechanism();
    let (reason, detail) = match (spnego::read(&token), terms.scheme) {
        (Opening::Kerberos, Scheme::Negotiate) => return kerberos::begin(terms, token),
        (Opening::Ntlm(framing), _) if terms.ntlm => return ntlm::begin(terms, framing),
        (Opening::Ntlm(NtlmFraming::Spnego { kerberos_too: true, .. }), Scheme::Negotiate) => {
            return kerberos::begin(terms, token);
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
            let detail = "the token continues an exchange that did not begin on this connection: does a proxy spread one client over several connections?";
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
    refuse(terms, mechanism, reason, detail)
}

/// Ends an exchange without a proof and without a token for the client.
fn refuse(terms: Terms, mechanism: Mechanism, reason: Reason, detail: String) -> (Exchange, Step) {
    let refused = Refused { mechanism, reason, detail, reply: None };
    (Exchange::Fresh(terms), Step::Done(Outcome::Refused(refused)))
}

//! What a mechanism makes of a token, or of an answer that it asked for.

use super::terms::Terms;
use crate::wire::{self, Mechanism, Reason};

/// What comes next. `Work` is what is to be done, with the state that waits for
/// its answer; `Asked` is the state that waits for the client's next token.
#[derive(Debug)]
pub(crate) enum Turn<Work, Asked> {
    /// Have this done.
    Do(Work),
    /// Ask the client for its next token, which must come on this connection.
    Ask(Asked, Challenge),
    /// The exchange is over.
    Done(Outcome),
    /// The client leaves the exchange behind, and begins another with this token.
    Anew(Terms, Vec<u8>),
}

/// Proof of who is there: made only by a mechanism.
#[derive(Clone, Debug)]
pub(crate) struct Proof(Box<wire::Proof>);

impl Proof {
    /// Only a mechanism may say so.
    pub(super) fn new(proven: wire::Proof) -> Self {
        Self(Box::new(proven))
    }

    /// What was proven.
    pub(crate) fn message(&self) -> &wire::Proof {
        &self.0
    }

    /// The message that carries it to the core.
    pub(crate) fn into_message(self) -> wire::Proof {
        *self.0
    }
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
    pub reason: Reason,
    /// The story behind the reason, for the log: what was wrong and what fixes it.
    pub detail: String,
    /// A token that tells the client so.
    pub reply: Option<Vec<u8>>,
}

impl Outcome {
    /// No proof, and no token for the client.
    pub(super) fn refused(mechanism: Mechanism, reason: Reason, detail: String) -> Self {
        Self::Refused(Refused { mechanism, reason, detail, reply: None })
    }
}

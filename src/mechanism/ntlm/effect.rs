//! What an exchange asks of an [`Acceptor`](super::Acceptor), and its answers. They share nothing
//! else.

use std::time::Instant;

use super::crypto::key::ExportedKey;
use super::helper::Reservation;
use super::message::{Authenticate, Challenge, Negotiate};
use crate::wire::{self, Reason};

/// What is asked of an [`Acceptor`](super::Acceptor).
#[derive(Debug)]
pub(crate) enum Question {
    /// A challenge for this client.
    Challenge(Negotiate),
    /// Whether the client knows the password.
    Verify {
        /// What came with the challenge.
        context: Context,
        /// The challenge.
        challenge: [u8; 8],
        /// The answer.
        authenticate: Box<Authenticate>,
    },
}

/// What the acceptor says.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The challenge for the client.
    Challenge {
        /// The message.
        challenge: Box<Challenge>,
        /// To be given back with the client's answer.
        context: Context,
    },
    /// The password is right.
    Verified(Verified),
    /// It is not, or nobody could tell.
    Refused {
        /// Why.
        reason: Reason,
        /// What was wrong and what mends it, for the log.
        detail: String,
    },
}

impl Answer {
    /// To who asks where nobody accepts NTLM.
    pub(crate) fn not_offered() -> Self {
        let detail = "NTLM is offered nowhere in this configuration".to_owned();
        Self::Refused { reason: Reason::NtlmSent, detail }
    }
}

/// What belongs to a challenge between two messages of a client. An exchange keeps
/// it, and cannot look into it.
#[derive(Debug)]
pub(crate) struct Context(pub(super) Given);

#[derive(Debug)]
pub(super) enum Given {
    /// We gave the challenge, then.
    Ourselves(Instant),
    /// A helper did, and waits for the answer.
    Helper(Reservation),
}

/// Somebody whose password was right. Only an [`Acceptor`](super::Acceptor) makes it.
#[derive(Debug)]
pub(crate) struct Verified {
    /// `DOMAIN\user`
    pub(super) principal: String,
    pub(super) account: wire::Account,
    /// The domain that winbind belongs to, where it says so.
    pub(super) own_domain: Option<String>,
    pub(super) session_key: Option<ExportedKey>,
}

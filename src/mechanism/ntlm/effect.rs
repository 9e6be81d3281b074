//! What an exchange asks of an [`Acceptor`](super::Acceptor), and its answers. They share nothing
//! else.

use std::net::IpAddr;
use std::time::Instant;

use super::crypto::key::ExportedKey;
use super::helper::Reservation;
use super::message::{Authenticate, Challenge};
use crate::wire;
use crate::wire::attempts::Attempt;

/// Whether a client knows the password: its answer to a challenge.
#[derive(Debug)]
pub(crate) struct Question {
    /// What came with the challenge.
    pub(super) context: Context,
    pub(super) challenge: [u8; 8],
    pub(super) authenticate: Box<Authenticate>,
}

impl Question {
    /// The password that is tried, as far as the client says whose it is.
    pub(super) fn attempt(&self, client: IpAddr) -> Attempt {
        let Authenticate { user, domain, .. } = &*self.authenticate;
        Attempt { user: user.clone(), domain: domain.clone(), client: Some(client) }
    }
}

/// A challenge for a client.
#[derive(Debug)]
pub(crate) struct Challenged {
    /// The message.
    pub(super) challenge: Box<Challenge>,
    /// To be given back with the client's answer.
    pub(super) context: Context,
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

//! What comes of asking who is there.

use super::cookie::CookieSecret;
use crate::front::core_link::{Grant, NoGrant};
use crate::mechanism::Scheme;
use crate::wire::{Ended, Mechanism, Reason};

/// Somebody is there.
#[derive(Clone, Debug)]
pub(crate) struct Present {
    /// What the core granted.
    pub grant: Grant,
    /// `None` when a session was presented; otherwise what the client is to be given.
    pub fresh: Option<Fresh>,
}

/// What a new sign-on gives the client.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    /// The secret of its cookie.
    pub cookie: CookieSecret,
    /// The mechanism's last token, which proves the gateway to the client.
    pub reply: Option<Reply>,
}

/// A mechanism's token for the client, which travels in `WWW-Authenticate`.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    /// The scheme.
    pub scheme: Scheme,
    /// The token, before base64.
    pub token: Vec<u8>,
}

/// Nobody is there, or not somebody who may go on.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The reason, for status, page, metrics and audit.
    pub reason: Reason,
    /// What stands in the log beside it.
    pub detail: String,
    /// The mechanism's token for the client, in the challenge.
    pub reply: Option<Reply>,
    /// By what it was tried; `None` when nothing was tried.
    pub tried: Option<Mechanism>,
    /// Who is signed on all the same, and may not use the site.
    pub present: Option<Box<Present>>,
    /// Whether the client brought nothing though its connection was told before
    /// what is offered.
    pub came_again: bool,
    /// Why and when the session ended that the request named, where that is known.
    pub ended: Option<Ended>,
}

impl Refusal {
    /// A refusal of which nothing but the reason is known.
    pub(crate) fn new(reason: Reason) -> Self {
        let detail = String::new();
        Self {
            reason,
            detail,
            reply: None,
            tried: None,
            present: None,
            came_again: false,
            ended: None,
        }
    }

    /// Signed on, but not one of those whom the site requires.
    pub(crate) fn not_permitted(present: Present, detail: String) -> Self {
        Self { detail, present: Some(Box::new(present)), ..Self::new(Reason::RequirementNotMet) }
    }

    /// A refusal of an attempt by this mechanism.
    pub(in crate::front) fn tried(mechanism: Mechanism, reason: Reason) -> Self {
        Self { tried: Some(mechanism), ..Self::new(reason) }
    }
}

impl From<NoGrant> for Refusal {
    fn from(no: NoGrant) -> Self {
        Self { detail: no.detail, ended: no.ended, ..Self::new(no.reason) }
    }
}

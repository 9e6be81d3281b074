//! The outcome of signing a request on.

use crate::front::core_link::{Grant, NoGrant};
use crate::front::request::cookie::CookieSecret;
use crate::mechanism::{Refused, Scheme};
use crate::wire::{Ended, Mechanism, Reason};

/// Somebody is signed on.
#[derive(Clone, Debug)]
pub(in crate::front) struct SignedOn {
    /// What the core granted.
    pub grant: Grant,
    /// `None` when a session was presented; otherwise what the client is to be given.
    pub new_session: Option<NewSession>,
}

impl SignedOn {
    /// By a session that exists already.
    pub(super) const fn by_session(grant: Grant) -> Self {
        Self { grant, new_session: None }
    }

    /// The login name.
    pub(in crate::front) fn login(&self) -> &str {
        self.grant.session().user.login()
    }
}

/// What a new sign-on gives the client.
#[derive(Clone, Debug)]
pub(in crate::front) struct NewSession {
    /// The secret of its cookie.
    pub cookie: CookieSecret,
    /// The mechanism's last token, which proves the gateway to the client.
    pub reply: Option<Reply>,
}

/// A mechanism's token for the client, which travels in `WWW-Authenticate`.
#[derive(Clone, Debug)]
pub(in crate::front) struct Reply {
    /// The scheme.
    pub scheme: Scheme,
    /// The token, before base64.
    pub token: Vec<u8>,
}

/// Why nobody may use a site here.
#[derive(Debug)]
pub(in crate::front) enum NoEntry {
    /// Nobody is signed on.
    NotSignedOn(Refusal),
    /// Somebody is, who may not use this site.
    NotPermitted(NotPermitted),
}

impl From<Refusal> for NoEntry {
    fn from(refusal: Refusal) -> Self {
        Self::NotSignedOn(refusal)
    }
}

/// Somebody is signed on, and is not one of those whom the site requires.
#[derive(Debug)]
pub(in crate::front) struct NotPermitted {
    /// Who it is.
    pub signed_on: SignedOn,
    /// What is required, and what the user has of it: for the log.
    pub detail: String,
}

/// Why a request is not served.
#[derive(Clone, Debug)]
pub(in crate::front) struct Refusal {
    /// The reason, for status, page, metrics and audit.
    pub reason: Reason,
    /// What is in the log beside it.
    pub detail: String,
    /// The mechanism's token for the client, in the challenge.
    pub reply: Option<Reply>,
    /// By what a sign-on was tried; `None` when nothing was tried.
    pub tried: Option<Mechanism>,
    /// Whether the client brought nothing though its connection was told before
    /// what is offered.
    pub came_again: bool,
    /// Why and when the session ended that the request named, where that is known.
    pub ended: Option<Ended>,
}

impl Refusal {
    /// A refusal of which nothing but the reason is known.
    pub(in crate::front) fn new(reason: Reason) -> Self {
        Self {
            reason,
            detail: String::new(),
            reply: None,
            tried: None,
            came_again: false,
            ended: None,
        }
    }

    /// A refusal of an attempt by this mechanism.
    pub(super) fn tried(mechanism: Mechanism, reason: Reason) -> Self {
        Self { tried: Some(mechanism), ..Self::new(reason) }
    }

    /// The same, with what the log is told beside the reason.
    pub(in crate::front) fn with_detail(self, detail: impl Into<String>) -> Self {
        Self { detail: detail.into(), ..self }
    }

    /// An attempt by this mechanism for which the core gave no grant.
    pub(super) fn by_core(mechanism: Mechanism, no: NoGrant) -> Self {
        Self::tried(mechanism, no.reason).with_detail(no.detail)
    }
}

/// An attempt that the mechanism itself refused; its token is the caller's to frame.
impl From<Refused> for Refusal {
    fn from(Refused { mechanism, reason, detail, reply: _ }: Refused) -> Self {
        Self::tried(mechanism, reason).with_detail(detail)
    }
}

/// A session that the core does not know any more.
impl From<NoGrant> for Refusal {
    fn from(no: NoGrant) -> Self {
        Self { ended: no.ended, ..Self::new(no.reason).with_detail(no.detail) }
    }
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::front::request::cookie::{self, Origin};
    use crate::front::upstream::testing::session;

    #[test]
    fn no_secret_is_shown_by_what_a_sign_on_gives() {
        let cookie = CookieSecret::random().unwrap();
        let here = Origin { host: "web.example", secure: true };
        let header = cookie::set(&cookie, here).unwrap();
        let (_, value) = header.to_str().unwrap().split_once('=').unwrap();
        let session = session();
        let secret = session.session.clone();
        let grant = Grant::for_test(session);
        let signed_on = SignedOn { grant, new_session: Some(NewSession { cookie, reply: None }) };
        let refused = NoEntry::NotPermitted(NotPermitted { signed_on, detail: String::new() });
        let shown = format!("{refused:?} {refused:#?}");
        for hidden in [&value[..43], secret.expose_secret()] {
            assert!(!shown.contains(hidden), "{hidden} is in {shown}");
        }
    }
}

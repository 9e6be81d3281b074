//! How users may sign on at a site, and which sessions are accepted there.

use crate::config::section::{ChannelBinding, Site};
use crate::front::core_link::Grant;
use crate::front::live::Live;
use crate::mechanism::ntlm::Acceptor;
use crate::wire::{Mechanism, Reason};

/// How one may sign on at a site.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct Policy<'a> {
    /// Whether anybody may sign on at all.
    pub enabled: bool,
    /// What is offered, in this order.
    pub mechanisms: &'a [Mechanism],
    /// Channel bindings.
    pub channel_binding: ChannelBinding,
    /// Whether the client's own connection may lead here. NTLM and certificates
    /// belong to one connection, so they are offered nowhere else.
    pub(in crate::front) connected: bool,
    /// Whether NTLM can be offered at this moment.
    ntlm: NtlmOffer<'a>,
}

/// When NTLM is offered where it is in the list.
#[derive(Clone, Copy, Debug)]
enum NtlmOffer<'a> {
    /// Always: somebody asked for it, and is to see when it fails.
    Always,
    /// While it works: it is in the list because nobody wrote one.
    While(Option<&'a Acceptor>),
}

impl<'a> NtlmOffer<'a> {
    fn new(live: &'a Live, by_default: bool) -> Self {
        if by_default { Self::While(live.ntlm.as_deref()) } else { Self::Always }
    }

    fn stands(self) -> bool {
        match self {
            Self::Always => true,
            Self::While(acceptor) => acceptor.is_some_and(|acceptor| acceptor.ready().is_ok()),
        }
    }
}

impl<'a> Policy<'a> {
    /// The policy of a site.
    pub(in crate::front) fn of(live: &'a Live, site: &'a Site) -> Self {
        Self {
            enabled: live.settings.sso.enable_sso,
            mechanisms: &site.mechanisms,
            channel_binding: site.channel_binding,
            connected: true,
            ntlm: NtlmOffer::new(live, site.mechanisms_by_default),
        }
    }

    /// The policy where no site is asked for.
    pub(in crate::front) fn general(live: &'a Live) -> Self {
        let sso = &live.settings.sso;
        Self {
            enabled: sso.enable_sso,
            mechanisms: &sso.mechanisms,
            channel_binding: sso.channel_binding,
            connected: true,
            ntlm: NtlmOffer::new(live, sso.mechanisms_by_default),
        }
    }

    /// The same where what asks is a proxy, on a connection of its own.
    pub(in crate::front) const fn without_connection(self) -> Self {
        Self { connected: false, ..self }
    }

    /// Whether one may sign on by this.
    pub(in crate::front) fn offers(&self, mechanism: Mechanism) -> bool {
        let row = mechanism.row();
        self.enabled
            && self.mechanisms.contains(&mechanism)
            && (self.connected || !row.needs.connection)
            && (self.channel_binding != ChannelBinding::Require || row.can_bind)
            && (mechanism != Mechanism::Ntlm || self.ntlm.stands())
    }

    /// Whether nothing in the list has a challenge that a client could answer.
    pub(in crate::front) fn asks_for_nothing(&self) -> bool {
        self.mechanisms.iter().all(|mechanism| mechanism.row().credentials.is_none())
    }

    /// Whether a session that a program has opened at the core may be shown in a cookie.
    pub(in crate::front) fn takes_api_sessions(&self) -> bool {
        takes_api_sessions(self.mechanisms)
    }

    /// Why nobody is there who showed nothing.
    pub(in crate::front) fn nothing_shown(&self) -> Reason {
        if !self.asks_for_nothing() {
            Reason::NoCredentials
        } else if self.mechanisms.contains(&Mechanism::Certificate) {
            Reason::NoCertificate
        } else {
            Reason::NoSession
        }
    }

    /// A session counts only where its own sign-on would have been taken: one that
    /// a front has opened by its cookie, one of a program by its secret itself.
    pub(in crate::front) fn accepts_session(&self, grant: &Grant, by: Shows) -> Result<(), Reason> {
        let session = grant.session();
        let shown = if session.mechanism.is_at_front() { Shows::Cookie } else { Shows::Secret };
        if by != shown || !self.mechanisms.contains(&session.mechanism) {
            return Err(Reason::WrongMechanism);
        }
        if self.channel_binding == ChannelBinding::Require && !session.channel_bound {
            return Err(Reason::BindingMissing);
        }
        Ok(())
    }
}

/// Whether sites with these mechanisms take sessions that a program has opened at
/// the core.
pub(in crate::front) fn takes_api_sessions(mechanisms: &[Mechanism]) -> bool {
    mechanisms.iter().any(|mechanism| !mechanism.is_at_front())
}

/// What a request shows of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::front) enum Shows {
    /// The cookie that this front gave, or the connection that it was proven on.
    Cookie,
    /// The secret that the core gave to a program.
    Secret,
}

//! Who is there? Performs the effects that a mechanism asks for, and feeds
//! the answers back, until there is a grant or a reason why there is none.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::certificate;
use super::cookie;
use super::facts::Facts;
use super::password::by_password;
use crate::config::checked::{ChannelBinding, Site};
use crate::front::connection::Connection;
use crate::front::core_link::{Grant, NoGrant};
use crate::front::mechanism::choose::{Choice, choose};
use crate::front::mechanism::ntlm::{self, Acceptor};
use crate::front::mechanism::spnego::{self, Opening};
use crate::front::mechanism::{
    self, Channel, Effect, Exchange, Input, Outcome, Proof, Refused, Scheme, Step, Terms,
};
use crate::front::{Front, Live};
use crate::pki::shown::Shown;
use crate::wire::{Ended, Mechanism, Reason};

/// A request that asks to be let in, and everything around it.
#[derive(Clone, Copy, Debug)]
pub struct Visit<'a> {
    /// The front.
    pub front: &'a Arc<Front>,
    /// What holds for this request.
    pub live: &'a Live,
    /// The connection it came on.
    pub connection: &'a Connection,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// What is true of it.
    pub facts: &'a Facts,
}

/// How one may sign on at a site.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// Whether anybody may sign on at all.
    pub enabled: bool,
    /// What is offered, in this order.
    pub mechanisms: &'a [Mechanism],
    /// Channel bindings.
    pub channel_binding: ChannelBinding,
    /// Whether the client's own connection may lead here. NTLM and certificates
    /// belong to one connection, so they are offered nowhere else.
    connected: bool,
    /// Whether NTLM can be offered at this moment.
    ntlm: NtlmOffer<'a>,
}

/// When NTLM is offered where it stands in the list.
#[derive(Clone, Copy, Debug)]
enum NtlmOffer<'a> {
    /// Always: somebody asked for it, and is to see when it fails.
    Always,
    /// While it works: it stands in the list because nobody wrote one.
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
    pub fn of(live: &'a Live, site: &'a Site) -> Self {
        Self {
            enabled: live.settings.sso.enable_sso,
            mechanisms: &site.mechanisms,
            channel_binding: site.channel_binding,
            connected: true,
            ntlm: NtlmOffer::new(live, site.mechanisms_by_default),
        }
    }

    /// The policy where no site is asked for.
    pub fn general(live: &'a Live) -> Self {
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
    pub const fn without_connection(self) -> Self {
        Self { connected: false, ..self }
    }

    /// Whether one may sign on by this.
    pub fn offers(&self, mechanism: Mechanism) -> bool {
        self.enabled
            && self.mechanisms.contains(&mechanism)
            && match mechanism {
                Mechanism::Ntlm => self.connected && self.ntlm.stands(),
                Mechanism::Certificate => self.connected,
                // A password is bound to nothing: who is fooled gives it away.
                Mechanism::Basic => self.channel_binding != ChannelBinding::Require,
                _ => true,
            }
    }

    /// Whether there is no other way in.
    pub fn takes_certificates_only(&self) -> bool {
        matches!(self.mechanisms, [Mechanism::Certificate])
    }

    /// A session counts only where its own sign-on would have been taken.
    pub(super) fn admits(&self, grant: &Grant) -> Result<(), Reason> {
        let session = grant.session();
        let taken = match session.mechanism {
            Mechanism::Trusted | Mechanism::Unix => true,
            Mechanism::Password => self.mechanisms.contains(&Mechanism::Basic),
            proven => self.mechanisms.contains(&proven),
        };
        if !taken {
            return Err(Reason::WrongMechanism);
        }
        if self.channel_binding == ChannelBinding::Require && !session.channel_bound {
            return Err(Reason::BindingMissing);
        }
        Ok(())
    }
}

/// Somebody is there.
#[derive(Clone, Debug)]
pub struct Present {
    /// What the core granted.
    pub grant: Grant,
    /// `None` when a session was presented; otherwise what the client is to be given.
    pub fresh: Option<Fresh>,
}

/// What a new sign-on gives the client.
#[derive(Clone, Debug)]
pub struct Fresh {
    /// The mechanism's last token, which proves the gateway to the client.
    pub reply: Option<Reply>,
}

/// A mechanism's token for the client, which travels in `WWW-Authenticate`.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The scheme.
    pub scheme: Scheme,
    /// The token, before base64.
    pub token: Vec<u8>,
}

/// Nobody is there, or not somebody who may go on.
#[derive(Clone, Debug)]
pub struct Refusal {
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
    /// Why and when the session ended that the request named, where that is known.
    pub ended: Option<Ended>,
}

impl Refusal {
    /// A refusal of which nothing but the reason is known.
    pub fn new(reason: Reason) -> Self {
        let detail = String::new();
        Self { reason, detail, reply: None, tried: None, present: None, ended: None }
    }

    /// Signed on, but not one of those whom the site requires.
    pub fn not_permitted(present: Present, detail: String) -> Self {
        Self { detail, present: Some(Box::new(present)), ..Self::new(Reason::RequirementNotMet) }
    }

    /// A refusal of an attempt by this mechanism.
    pub(super) fn tried(mechanism: Mechanism, reason: Reason) -> Self {
        Self { tried: Some(mechanism), ..Self::new(reason) }
    }
}

impl From<NoGrant> for Refusal {
    fn from(no: NoGrant) -> Self {
        Self { detail: no.detail, ended: no.ended, ..Self::new(no.reason) }
    }
}

/// Finds out who sent a request: by the token it carries, else by its cookie,
/// else by what was proven on its connection, else by the certificate that was
/// shown there.
///
/// # Errors
/// Nobody was proven, and why.
pub async fn who(visit: Visit<'_>, policy: &Policy<'_>) -> Result<Present, Refusal> {
    if !policy.enabled {
        return Err(Refusal::new(Reason::SsoDisabled));
    }
    let authorization =
        visit.headers.get_all(AUTHORIZATION).into_iter().map(http::HeaderValue::as_bytes);
    match choose(authorization, |mechanism| policy.offers(mechanism)) {
        Choice::Token(scheme, token) => by_token(visit, policy, scheme, token).await,
        Choice::Basic(credentials) => by_password(visit, policy, credentials).await,
        Choice::Refused(mechanism, reason) => {
            visit.connection.begin_attempt();
            Err(Refusal::tried(mechanism, reason))
        }
        Choice::Absent(reason) => {
            if visit.connection.break_off() {
                tracing::debug!(client = %visit.facts.client, "an exchange was broken off");
            }
            match by_session(visit, policy, reason).await {
                Ok(present) => Ok(present),
                Err(why) => match certificate::of_client(visit, policy) {
                    Some(shown) => by_certificate(visit, shown).await,
                    None => Err(certificate::by_proxy(visit, policy, why).await),
                },
            }
        }
    }
}

async fn by_session(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    otherwise: Reason,
) -> Result<Present, Refusal> {
    let Visit { front, connection, headers, facts, .. } = visit;
    let mut why = Refusal::new(match otherwise {
        Reason::NoCredentials if policy.takes_certificates_only() => Reason::NoCertificate,
        otherwise => otherwise,
    });
    let bound = if facts.shared { None } else { connection.session() };
    let presented = cookie::session_id(headers, facts.secure);
    for id in presented.into_iter().chain(bound.as_deref()) {
        match front.core.resolve(id, facts.client).await {
            Ok(grant) => match admits(visit, policy, &grant).await {
                Ok(()) => {
                    front.metrics.session_requests.inc();
                    return Ok(Present { grant, fresh: None });
                }
                Err(refusal) => why = refusal,
            },
            Err(no) => why = no.into(),
        }
    }
    Err(why)
}

async fn admits(visit: Visit<'_>, policy: &Policy<'_>, grant: &Grant) -> Result<(), Refusal> {
    policy.admits(grant).map_err(Refusal::new)?;
    certificate::admits(visit, policy, grant).await
}

async fn by_certificate(visit: Visit<'_>, shown: &Arc<Shown>) -> Result<Present, Refusal> {
    let judged = certificate::judge(visit.live, shown).await;
    match mechanism::certificate::prove(shown, judged) {
        Outcome::Proven { proof, .. } => open(visit, proof, None).await,
        Outcome::Refused(Refused { mechanism, reason, detail, .. }) => {
            Err(Refusal { detail, ..Refusal::tried(mechanism, reason) })
        }
    }
}

/// Has the core open a session for what was proven.
async fn open(visit: Visit<'_>, proof: Proof, reply: Option<Reply>) -> Result<Present, Refusal> {
    let Visit { front, connection, facts, .. } = visit;
    let mechanism = proof.message().mechanism;
    match front.core.sign_on(proof, facts.client).await {
        Ok(grant) => {
            front.metrics.granted(mechanism);
            if !facts.shared {
                connection.bind(&grant.session().session);
            }
            Ok(Present { grant, fresh: Some(Fresh { reply }) })
        }
        Err(no) => {
            let detail = no.detail;
            Err(Refusal { detail, ..Refusal::tried(mechanism, no.reason) })
        }
    }
}

async fn by_token(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    scheme: Scheme,
    token: Vec<u8>,
) -> Result<Present, Refusal> {
    let Visit { live, connection, facts, .. } = visit;
    let unfinished = connection.begin_attempt();
    let ntlm = policy.offers(Mechanism::Ntlm);
    if facts.http2 && ntlm && matches!(spnego::read(&token), Opening::Ntlm(_)) {
        return Err(Refusal::tried(Mechanism::Ntlm, Reason::NtlmNeedsHttp1));
    }
    let terms = Terms {
        scheme,
        ntlm: ntlm && !facts.http2,
        channel_binding: policy.channel_binding,
        channel: channel(connection),
    };
    let exchange = match unfinished.filter(|exchange| may_wait(exchange, policy, facts)) {
        Some(unfinished) => unfinished.under(terms),
        None => Exchange::new(terms),
    };
    let reply = |token| Reply { scheme, token };
    match run(live, exchange, Input::Token(token)).await {
        Leg::Next(exchange, token) => {
            let mechanism = exchange.mechanism();
            let reason = if may_wait(&exchange, policy, facts) {
                connection.await_leg(exchange);
                Reason::ExchangeOpen
            } else {
                Reason::ExchangeNeedsConnection
            };
            Err(Refusal { reply: Some(reply(token)), ..Refusal::tried(mechanism, reason) })
        }
        Leg::Refused(Refused { mechanism, reason, detail, reply: token }) => {
            let reply = token.map(reply);
            Err(Refusal { detail, reply, ..Refusal::tried(mechanism, reason) })
        }
        Leg::Proven { proof, reply: token } => open(visit, *proof, token.map(reply)).await,
    }
}

/// Whether the client's next leg may be awaited on this connection. A proxy's
/// connection may carry other clients in between, which ends the exchange; so
/// where one leg is the rule, no second one is begun there.
const fn may_wait(exchange: &Exchange, policy: &Policy<'_>, facts: &Facts) -> bool {
    policy.connected && (!facts.shared || matches!(exchange, Exchange::Ntlm(_)))
}

/// Behind a proxy the client's TLS ends elsewhere, and our certificate says
/// nothing of it. Only who is known to be one is taken for one: else tokens
/// could be relayed by way of forward-auth.
fn channel(connection: &Connection) -> Channel {
    match &connection.binding {
        _ if connection.trusted => Channel::Proxied,
        Some(own) => Channel::Tls(Arc::clone(own)),
        None => Channel::Plain,
    }
}

enum Leg {
    Next(Exchange, Vec<u8>),
    Proven { proof: Box<Proof>, reply: Option<Vec<u8>> },
    Refused(Refused),
}

async fn run(live: &Live, mut exchange: Exchange, mut input: Input) -> Leg {
    loop {
        let (next, step) = exchange.advance(input);
        exchange = next;
        match step {
            Step::Do(Effect::AcceptGss(accept)) => {
                input = Input::Gss(live.gss.accept(accept).await);
            }
            Step::Do(Effect::AskNtlm(question)) => {
                input = Input::Ntlm(match &live.ntlm {
                    Some(acceptor) => acceptor.answer(question).await,
                    None => ntlm::Answer::not_offered(),
                });
            }
            Step::Ask(challenge) => return Leg::Next(exchange, challenge.token),
            Step::Done(Outcome::Proven { proof, reply }) => {
                return Leg::Proven { proof: Box::new(proof), reply };
            }
            Step::Done(Outcome::Refused(refused)) => return Leg::Refused(refused),
        }
    }
}

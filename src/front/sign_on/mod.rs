//! Who is there? Performs the effects that a mechanism asks for, and feeds
//! the answers back, until there is a grant or a reason why there is none.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::front::connection::Connection;
use crate::front::connection::bound::Marks;
use crate::front::core_link::{Grant, NoGrant};
use crate::front::request::facts::Facts;
use crate::front::{Front, Live};
use crate::mechanism::choose::{Choice, choose};
use crate::mechanism::spnego::{self, Opening};
use crate::mechanism::{
    self, Channel, Effect, Exchange, Input, Outcome, Proof, Refused, Scheme, Step, Terms,
};
use crate::pki::peer::shown::Shown;
use crate::wire::{Ended, Mechanism, Reason, SessionSecret};
use cookie::{CookieSecret, Presented};
use password::by_password;
use policy::{Policy, Shows};

pub(crate) mod certificate;
pub(crate) mod cookie;
pub(in crate::front) mod ntlm;
pub(in crate::front) mod own_hosts;
pub(in crate::front) mod password;
pub(crate) mod policy;
pub(crate) mod require;

/// A request that asks to be let in, and everything around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'a> {
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

/// Finds out who sent a request: by the token it carries, else by its cookie,
/// else by what was proven on its connection, else by the certificate that was
/// shown there.
///
/// # Errors
/// Nobody was proven, and why.
pub(crate) async fn who(visit: Visit<'_>, policy: &Policy<'_>) -> Result<Present, Refusal> {
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
                    None => {
                        let came_again = visit.connection.tell();
                        let why = Refusal { came_again, ..why };
                        Err(certificate::by_proxy(visit, policy, why).await)
                    }
                },
            }
        }
    }
}

/// By the session that a cookie shows, else by what was proven on the connection.
/// Whoever sends a cookie of ours, whatever became of it, is not asked for by
/// the connection: it may be a proxy's, and another's.
async fn by_session(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    otherwise: Reason,
) -> Result<Present, Refusal> {
    let Visit { front, connection, headers, facts, .. } = visit;
    let mut why = Refusal::new(match otherwise {
        Reason::NoCredentials => policy.nothing_shown(),
        otherwise => otherwise,
    });
    let presented = Presented::read(headers, facts.origin());
    let bound = if facts.shared { None } else { connection.bound(&facts.host, headers) };
    let bound = bound.filter(|_| presented.named == 0);
    let mut found: Option<Grant> = None;
    for (secret, by) in shown(&presented, policy).chain(bound.iter().map(|id| (id, Shows::Cookie)))
    {
        match front.core.resolve(secret, facts.client).await {
            Ok(grant) => match admits(visit, policy, &grant, by).await {
                Ok(()) => match &found {
                    Some(other) if other.session().user != grant.session().user => {
                        return Err(Refusal::new(Reason::SeveralSessions));
                    }
                    Some(_) => {}
                    None => found = Some(grant),
                },
                Err(refusal) => why = refusal,
            },
            Err(no) => why = no.into(),
        }
    }
    let grant = found.ok_or(why)?;
    front.metrics.session_requests.inc();
    tracing::debug!(login = grant.session().user.login, "a session counts");
    Ok(Present { grant, fresh: None })
}

/// The sessions that a request's cookies may stand for here.
pub(in crate::front) fn shown<'a>(
    presented: &'a Presented,
    policy: &Policy<'_>,
) -> impl Iterator<Item = (&'a SessionSecret, Shows)> {
    let bare: &[SessionSecret] =
        if policy.takes_api_sessions() { &presented.bare } else { Default::default() };
    let cookies = presented.sessions.iter().map(|secret| (secret, Shows::Cookie));
    cookies.chain(bare.iter().map(|secret| (secret, Shows::Secret)))
}

async fn admits(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    grant: &Grant,
    by: Shows,
) -> Result<(), Refusal> {
    policy.admits(grant, by).map_err(Refusal::new)?;
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
    let cookie = new_cookie(mechanism)?;
    let secret = cookie.session(facts.origin());
    match front.core.sign_on(proof, facts.client, secret.clone()).await {
        Ok(grant) => {
            front.metrics.granted(mechanism);
            tracing::debug!(login = grant.session().user.login, "signed on");
            if let Some(client) = keeps(visit, mechanism) {
                connection.bind(&facts.host, secret, client);
            }
            Ok(Present { grant, fresh: Some(Fresh { cookie, reply }) })
        }
        Err(no) => {
            let detail = no.detail;
            Err(Refusal { detail, ..Refusal::tried(mechanism, no.reason) })
        }
    }
}

/// Whether a connection keeps what was proven on it, and for whom. Kerberos proves
/// a request (RFC 4559): its clients send a token or a cookie with each. NTLM
/// proves a connection; but a proxy on this host may say nothing of itself, and
/// what comes over plain HTTP from loopback is most likely to be one.
fn keeps(visit: Visit<'_>, mechanism: Mechanism) -> Option<Option<Marks>> {
    let Visit { connection, headers, facts, .. } = visit;
    let local = !connection.is_tls() && connection.peer.is_loopback();
    match mechanism {
        _ if facts.shared => None,
        Mechanism::Certificate => Some(None),
        Mechanism::Ntlm if !local => Some(Some(Marks::of(headers))),
        _ => None,
    }
}

/// The secret of a new session's cookie.
pub(in crate::front) fn new_cookie(mechanism: Mechanism) -> Result<CookieSecret, Refusal> {
    CookieSecret::random().ok_or_else(|| Refusal {
        detail: "the system gives no random numbers".to_owned(),
        ..Refusal::tried(mechanism, Reason::Busy)
    })
}

async fn by_token(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    scheme: Scheme,
    token: Vec<u8>,
) -> Result<Present, Refusal> {
    let Visit { live, connection, facts, .. } = visit;
    tracing::debug!(mechanism = scheme.mechanism().as_str(), bytes = token.len(), "a token came");
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
        targets: live.targets(connection.local),
    };
    let exchange = match unfinished.filter(|exchange| may_wait(exchange, policy, facts)) {
        Some(unfinished) => unfinished.under(terms),
        None => Exchange::new(terms),
    };
    let reply = |token| Reply { scheme, token };
    match run(visit, exchange, Input::Token(token)).await {
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

async fn run(visit: Visit<'_>, mut exchange: Exchange, mut input: Input) -> Leg {
    loop {
        let (next, step) = exchange.advance(input);
        exchange = next;
        match step {
            Step::Do(Effect::AcceptGss(accept)) => {
                tracing::debug!("the Kerberos library is asked");
                input = Input::Gss(visit.live.gss.accept(accept).await);
            }
            Step::Do(Effect::AskNtlm(question)) => {
                tracing::debug!("winbind is asked");
                input = Input::Ntlm(ntlm::answer(visit, question).await);
            }
            Step::Ask(challenge) => {
                tracing::debug!(bytes = challenge.token.len(), "the client's next token is due");
                return Leg::Next(exchange, challenge.token);
            }
            Step::Done(Outcome::Proven { proof, reply }) => {
                let said = proof.message();
                let ends_at = said.ends_at.map(tracing::field::display);
                let (principal, channel_bound) = (&said.principal, said.channel_bound);
                tracing::debug!(principal, channel_bound, ends_at, "proven");
                return Leg::Proven { proof: Box::new(proof), reply };
            }
            Step::Done(Outcome::Refused(refused)) => return Leg::Refused(refused),
        }
    }
}

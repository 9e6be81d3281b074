//! Who is there? Performs the effects that a mechanism asks for, and feeds
//! the answers back, until there is a grant or a reason why there is none.

use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;

use super::cookie;
use super::facts::Facts;
use crate::config::checked::{ChannelBinding, Site, Sso};
use crate::front::connection::Connection;
use crate::front::core_link::{Grant, NoGrant};
use crate::front::mechanism::choose::{Choice, choose};
use crate::front::mechanism::{Effect, Exchange, Input, Outcome, Proof, Step, Terms};
use crate::front::{Front, Live};
use crate::wire::{Mechanism, Reason};

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
    /// What is offered.
    pub mechanisms: &'a [Mechanism],
    /// Channel bindings.
    pub channel_binding: ChannelBinding,
}

impl<'a> Policy<'a> {
    /// The policy of a site.
    pub fn of(sso: &Sso, site: &'a Site) -> Self {
        Self {
            enabled: sso.enable_sso,
            mechanisms: &site.mechanisms,
            channel_binding: site.channel_binding,
        }
    }

    /// The policy where no site is asked for.
    pub fn general(sso: &'a Sso) -> Self {
        Self {
            enabled: sso.enable_sso,
            mechanisms: &sso.mechanisms,
            channel_binding: sso.channel_binding,
        }
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
    pub reply: Option<Vec<u8>>,
}

/// Nobody is there, or not somebody who may go on.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The reason, for status, page, metrics and audit.
    pub reason: Reason,
    /// What stands in the log beside it.
    pub detail: String,
    /// The mechanism's token for the client, in the challenge.
    pub reply: Option<Vec<u8>>,
    /// By what it was tried; `None` when nothing was tried.
    pub tried: Option<Mechanism>,
    /// Who is signed on all the same, and may not use the site.
    pub present: Option<Box<Present>>,
}

impl Refusal {
    /// A refusal of which nothing but the reason is known.
    pub fn new(reason: Reason) -> Self {
        Self { reason, detail: String::new(), reply: None, tried: None, present: None }
    }

    /// Signed on, but not one of those whom the site requires.
    pub fn not_permitted(present: Present) -> Self {
        Self { present: Some(Box::new(present)), ..Self::new(Reason::RequirementNotMet) }
    }

    fn tried(mechanism: Mechanism, reason: Reason, detail: String, reply: Option<Vec<u8>>) -> Self {
        Self { detail, reply, tried: Some(mechanism), ..Self::new(reason) }
    }
}

impl From<NoGrant> for Refusal {
    fn from(no: NoGrant) -> Self {
        Self { detail: no.detail, ..Self::new(no.reason) }
    }
}

/// Finds out who sent a request: by the token it carries, else by its cookie,
/// else by what was proven on its connection.
///
/// # Errors
/// Nobody was proven, and why.
pub async fn who(visit: Visit<'_>, policy: &Policy<'_>) -> Result<Present, Refusal> {
    if !policy.enabled {
        return Err(Refusal::new(Reason::SsoDisabled));
    }
    let authorization =
        visit.headers.get_all(AUTHORIZATION).into_iter().map(http::HeaderValue::as_bytes);
    match choose(authorization, policy.mechanisms) {
        Choice::Negotiate(token) => negotiate(visit, policy, token).await,
        Choice::Refused(reason) => {
            visit.connection.begin_attempt();
            Err(Refusal::tried(Mechanism::Negotiate, reason, String::new(), None))
        }
        Choice::Absent(reason) => {
            if visit.connection.break_off() {
                tracing::debug!(client = %visit.facts.client, "an exchange was broken off");
            }
            by_session(visit, policy, reason).await
        }
    }
}

async fn by_session(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    otherwise: Reason,
) -> Result<Present, Refusal> {
    let Visit { front, connection, headers, facts, .. } = visit;
    let mut why = Refusal::new(otherwise);
    let bound = if facts.shared { None } else { connection.session() };
    let presented = cookie::session_id(headers, facts.secure);
    for id in presented.into_iter().chain(bound.as_deref()) {
        match front.core.resolve(id, facts.client).await {
            Ok(grant) => match policy.admits(&grant) {
                Ok(()) => {
                    front.metrics.session_requests.inc();
                    return Ok(Present { grant, fresh: None });
                }
                Err(reason) => why = Refusal::new(reason),
            },
            Err(no) => why = no.into(),
        }
    }
    Err(why)
}

impl Policy<'_> {
    /// A session counts only where its own sign-on would have been taken.
    fn admits(&self, grant: &Grant) -> Result<(), Reason> {
        let session = grant.session();
        if session.mechanism == Mechanism::Negotiate
            && !self.mechanisms.contains(&session.mechanism)
        {
            return Err(Reason::WrongMechanism);
        }
        if self.channel_binding == ChannelBinding::Require && !session.channel_bound {
            return Err(Reason::BindingMissing);
        }
        Ok(())
    }
}

async fn negotiate(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    token: Vec<u8>,
) -> Result<Present, Refusal> {
    let Visit { front, live, connection, facts, .. } = visit;
    let refuse =
        |reason, detail, reply| Err(Refusal::tried(Mechanism::Negotiate, reason, detail, reply));
    // Behind a proxy the client's TLS ends elsewhere, and our certificate says
    // nothing of it. Only who is known to be one is taken for one: else tokens
    // could be relayed by way of forward-auth.
    let bindings = connection.binding.clone().filter(|_| !connection.trusted);
    let terms = Terms { channel_binding: policy.channel_binding, bindings };
    let exchange = match connection.begin_attempt().filter(|_| !facts.shared) {
        Some(unfinished) => unfinished.under(terms),
        None => Exchange::new(terms),
    };
    match run(live, exchange, Input::Token(token)).await {
        Leg::Next(_, reply) if facts.shared => {
            refuse(Reason::ExchangeNeedsConnection, String::new(), Some(reply))
        }
        Leg::Next(exchange, reply) => {
            connection.await_leg(exchange);
            refuse(Reason::ExchangeOpen, String::new(), Some(reply))
        }
        Leg::Refused { reason, detail, reply } => refuse(reason, detail, reply),
        Leg::Proven { proof, reply } => match front.core.sign_on(*proof, facts.client).await {
            Ok(grant) => {
                front.metrics.granted(Mechanism::Negotiate);
                if !facts.shared {
                    connection.bind(&grant.session().session);
                }
                Ok(Present { grant, fresh: Some(Fresh { reply }) })
            }
            Err(no) => refuse(no.reason, no.detail, None),
        },
    }
}

enum Leg {
    Next(Exchange, Vec<u8>),
    Proven { proof: Box<Proof>, reply: Option<Vec<u8>> },
    Refused { reason: Reason, detail: String, reply: Option<Vec<u8>> },
}

async fn run(live: &Live, mut exchange: Exchange, mut input: Input) -> Leg {
    loop {
        let (next, step) = exchange.advance(input);
        exchange = next;
        match step {
            Step::Do(Effect::AcceptGss(accept)) => {
                input = Input::Gss(live.gss.accept(accept).await);
            }
            Step::Ask(challenge) => return Leg::Next(exchange, challenge.token),
            Step::Done(Outcome::Proven { proof, reply }) => {
                return Leg::Proven { proof: Box::new(proof), reply };
            }
            Step::Done(Outcome::Refused { reason, detail, reply }) => {
                return Leg::Refused { reason, detail, reply };
            }
        }
    }
}

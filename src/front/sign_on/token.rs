//! Sign-on by a mechanism's token. Performs the effects that the mechanism asks
//! for, and feeds the answers back, until there is a proof or a refusal.

use std::sync::Arc;

use super::open::open;
use super::policy::Policy;
use super::{Refusal, Reply, RequestContext, SignedOn, ntlm};
use crate::front::connection::Connection;
use crate::front::request::facts::Facts;
use crate::mechanism::spnego::{self, Opening};
use crate::mechanism::{
    Channel, Effect, Exchange, Input, Outcome, Proof, Refused, Scheme, Step, Terms,
};
use crate::wire::{Mechanism, Reason};

pub(super) async fn by_token(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    scheme: Scheme,
    token: Vec<u8>,
) -> Result<SignedOn, Refusal> {
    let RequestContext { live, connection, facts, .. } = context;
    tracing::debug!(mechanism = scheme.mechanism().as_str(), bytes = token.len(), "a token came");
    let unfinished = connection.sign_on.begin_attempt();
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
    match run(context, exchange, Input::Token(token)).await {
        Leg::Next(exchange, token) => {
            let mechanism = exchange.mechanism();
            let reason = if may_wait(&exchange, policy, facts) {
                connection.sign_on.await_leg(exchange);
                Reason::ExchangeOpen
            } else {
                Reason::ExchangeNeedsConnection
            };
            Err(Refusal { reply: Some(reply(token)), ..Refusal::tried(mechanism, reason) })
        }
        Leg::Refused(mut refused) => {
            let reply = refused.reply.take().map(reply);
            Err(Refusal { reply, ..refused.into() })
        }
        Leg::Proven { proof, reply: token } => open(context, *proof, token.map(reply)).await,
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

async fn run(context: RequestContext<'_>, mut exchange: Exchange, mut input: Input) -> Leg {
    loop {
        let (next, step) = exchange.advance(input);
        exchange = next;
        match step {
            Step::Do(Effect::AcceptGss(accept)) => {
                tracing::debug!("the Kerberos library is asked");
                input = Input::Gss(context.live.gss.accept(accept).await);
            }
            Step::Do(Effect::AskNtlm(question)) => {
                tracing::debug!("winbind is asked");
                input = Input::Ntlm(ntlm::answer(context, question).await);
            }
            Step::Ask(challenge) => {
                tracing::debug!(
                    bytes = challenge.token.len(),
                    "waiting for the client's next token"
                );
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

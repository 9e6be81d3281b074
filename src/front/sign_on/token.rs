//! Sign-on by a mechanism's token: from headers and connection to terms, from
//! what came of it to a session or a refusal.

use std::sync::Arc;

use super::open::open;
use super::policy::Policy;
use super::{Refusal, Reply, RequestContext, SignedOn};
use crate::front::connection::Connection;
use crate::front::request::facts::Facts;
use crate::mechanism::drive::{Progress, Services, drive};
use crate::mechanism::spnego::{self, Opening};
use crate::mechanism::{Channel, Exchange, Outcome, Scheme, Terms};
use crate::wire::{Mechanism, Reason};

pub(super) async fn by_token(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    scheme: Scheme,
    token: Vec<u8>,
) -> Result<SignedOn, Refusal> {
    let RequestContext { front, live, connection, facts, .. } = context;
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
    let unfinished = unfinished.filter(|exchange| may_wait(exchange, policy, facts));
    let services = Services {
        kerberos: &live.gss,
        ntlm: live.ntlm.as_ref(),
        attempts: &front.core,
        client: facts.client,
    };
    let reply = |token| Reply { scheme, token };
    match drive(unfinished, terms, token, &services).await {
        Progress::Open(exchange, challenge) => {
            let mechanism = exchange.mechanism();
            let reason = if may_wait(&exchange, policy, facts) {
                connection.sign_on.await_leg(exchange);
                Reason::ExchangeOpen
            } else {
                Reason::ExchangeNeedsConnection
            };
            let reply = Some(reply(challenge.token));
            Err(Refusal { reply, ..Refusal::tried(mechanism, reason) })
        }
        Progress::Done(Outcome::Proven { proof, reply: token }) => {
            open(context, proof, token.map(reply)).await
        }
        Progress::Done(Outcome::Refused(mut refused)) => {
            let reply = refused.reply.take().map(reply);
            Err(Refusal { reply, ..refused.into() })
        }
    }
}

/// Whether the client's next leg may be awaited on this connection. A proxy's
/// connection may carry other clients in between, which ends the exchange; so
/// where one leg is the rule, no second one is begun there.
fn may_wait(exchange: &Exchange, policy: &Policy<'_>, facts: &Facts) -> bool {
    policy.connected && (!facts.shared || exchange.mechanism().row().needs.connection)
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

//! Who sent a request? One file for each way to sign on; [`authenticate`] says in
//! which order they are tried.

use http::HeaderValue;
use http::header::AUTHORIZATION;

use crate::mechanism::choose::{Choice, choose};
use crate::wire::Reason;
use certificate::by_certificate;
use password::by_password;
use policy::Policy;
use session::by_session;
use token::by_token;

pub(crate) mod certificate;
pub(in crate::front) mod connection;
mod context;
mod open;
mod outcome;
mod password;
pub(in crate::front) mod policy;
pub(in crate::front) mod require;
mod session;
mod token;

pub(in crate::front) use context::RequestContext;
pub(in crate::front) use outcome::{NewSession, NoEntry, NotPermitted, Refusal, Reply, SignedOn};

/// Finds out who sent a request: by the credentials that it carries, else by a session
/// or the client's certificate.
///
/// # Errors
/// Nobody was proven, and why.
pub(in crate::front) async fn authenticate(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
) -> Result<SignedOn, Refusal> {
    if !policy.enabled {
        return Err(Refusal::new(Reason::SsoDisabled));
    }
    let authorization =
        context.headers.get_all(AUTHORIZATION).into_iter().map(HeaderValue::as_bytes);
    match choose(authorization, |mechanism| policy.offers(mechanism)) {
        Choice::Token(scheme, token) => by_token(context, policy, scheme, token).await,
        Choice::Basic(credentials) => by_password(context, policy, credentials).await,
        Choice::Refused(mechanism, reason) => {
            context.connection.sign_on.begin_attempt();
            Err(Refusal::tried(mechanism, reason))
        }
        Choice::Absent(reason) => without_credentials(context, policy, reason).await,
    }
}

/// By the session of a cookie, else by what was proven on the connection, else by the
/// certificate that the client showed there.
async fn without_credentials(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    reason: Reason,
) -> Result<SignedOn, Refusal> {
    if context.connection.sign_on.break_off() {
        tracing::debug!(client = %context.facts.client, "an exchange was broken off");
    }
    let why = match by_session(context, policy, reason).await {
        Ok(signed_on) => return Ok(signed_on),
        Err(why) => why,
    };
    match certificate::of_client(context, policy) {
        Some(shown) => by_certificate(context, shown).await,
        None => {
            let came_again = context.connection.sign_on.tell();
            let why = Refusal { came_again, ..why };
            Err(certificate::by_proxy(context, policy, why).await)
        }
    }
}

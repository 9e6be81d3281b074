//! Who is there?

use http::header::AUTHORIZATION;

use crate::mechanism::choose::{Choice, choose};
use crate::wire::Reason;
use certificate::by_certificate;
use password::by_password;
use policy::Policy;
use session::by_session;
use token::by_token;

pub(crate) mod certificate;
mod connection;
mod context;
pub(crate) mod cookie;
pub(in crate::front) mod ntlm;
mod open;
mod outcome;
pub(in crate::front) mod own_hosts;
pub(in crate::front) mod password;
pub(crate) mod policy;
pub(crate) mod require;
mod session;
mod token;

pub(crate) use context::Visit;
pub(crate) use outcome::{Present, Refusal, Reply};

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

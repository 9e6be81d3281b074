//! Sign-on by name and password, which browsers and programs send with every
//! request (RFC 7617): so a session that stands is asked first.

use super::cookie;
use super::sign_on::{Fresh, Policy, Present, Refusal, Visit};
use crate::front::mechanism::basic::Credentials;
use crate::wire::{Mechanism, Reason};

/// Has the core judge a password, unless the request shows a session that the
/// same name has opened by password. The sign-on counts for this request and
/// its cookie, never for its connection: the client sends its password again.
///
/// # Errors
/// The request came over plain HTTP, or the core refuses.
pub(super) async fn by_password(
    visit: Visit<'_>,
    policy: &Policy<'_>,
    credentials: Credentials,
) -> Result<Present, Refusal> {
    let Visit { front, connection, facts, .. } = visit;
    connection.begin_attempt();
    if !facts.secure {
        return Err(Refusal::tried(Mechanism::Basic, Reason::BasicNeedsTls));
    }
    let Credentials { user, password } = credentials;
    if let Some(present) = standing(visit, policy, &user).await {
        return Ok(present);
    }
    match front.core.sign_on_by_password(user, password, facts.client).await {
        Ok(grant) => {
            front.metrics.granted(Mechanism::Basic);
            Ok(Present { grant, fresh: Some(Fresh { reply: None }) })
        }
        Err(no) => {
            let detail = no.detail;
            Err(Refusal { detail, ..Refusal::tried(Mechanism::Basic, no.reason) })
        }
    }
}

/// The session of the request's cookie, where this name has opened it by password.
async fn standing(visit: Visit<'_>, policy: &Policy<'_>, user: &str) -> Option<Present> {
    let Visit { front, headers, facts, .. } = visit;
    let id = cookie::session_id(headers, facts.secure)?;
    let grant = front.core.resolve(id, facts.client).await.ok()?;
    let session = grant.session();
    let same = session.mechanism == Mechanism::Basic && session.typed.as_deref() == Some(user);
    if !same || policy.admits(&grant).is_err() {
        return None;
    }
    front.metrics.session_requests.inc();
    Some(Present { grant, fresh: None })
}

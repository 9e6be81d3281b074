//! Sign-on by name and password, which browsers and programs send with every
//! request (RFC 7617): so a session that stands is asked first.

use super::cookie::Presented;
use super::open::new_cookie;
use super::outcome::Fresh;
use super::policy::{Policy, Shows};
use super::{Present, Refusal, Visit};
use crate::mechanism::basic::Credentials;
use crate::wire::{Mechanism, Reason};

/// Has the core judge a password, unless the request shows a session that the
/// same name has opened by password. The sign-on counts for this request and
/// its cookie, never for its connection: the client sends its password again.
///
/// # Errors
/// The request came over plain HTTP, or the core refuses.
pub(in crate::front) async fn by_password(
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
    let cookie = new_cookie(Mechanism::Basic)?;
    let secret = cookie.session(facts.origin());
    match front.core.sign_on_by_password(user, password, facts.client, secret).await {
        Ok(grant) => {
            front.metrics.granted(Mechanism::Basic);
            Ok(Present { grant, fresh: Some(Fresh { cookie, reply: None }) })
        }
        Err(no) => {
            let detail = no.detail;
            Err(Refusal { detail, ..Refusal::tried(Mechanism::Basic, no.reason) })
        }
    }
}

/// The session of one of the request's cookies, where this name has opened it by password.
async fn standing(visit: Visit<'_>, policy: &Policy<'_>, user: &str) -> Option<Present> {
    let Visit { front, headers, facts, .. } = visit;
    for secret in Presented::read(headers, facts.origin()).sessions {
        let Ok(grant) = front.core.resolve(&secret, facts.client).await else { continue };
        let session = grant.session();
        let same = session.mechanism == Mechanism::Basic && session.typed.as_deref() == Some(user);
        if same && policy.admits(&grant, Shows::Cookie).is_ok() {
            front.metrics.session_requests.inc();
            return Some(Present { grant, fresh: None });
        }
    }
    None
}

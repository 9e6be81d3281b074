//! Sign-on by name and password, which browsers and programs send with every request (RFC 7617).
//! So an existing session is used first.

use super::open::new_cookie;
use super::policy::{Policy, Shows};
use super::{NewSession, Refusal, RequestContext, SignedOn};
use crate::front::request::cookie::Presented;
use crate::mechanism::basic::NamePassword;
use crate::wire::{Mechanism, Reason};

/// Has the core judge a password, unless the request shows a session that the
/// same name has opened by password. The sign-on counts for this request and
/// its cookie, never for its connection: the client sends its password again.
///
/// # Errors
/// The request came over plain HTTP, or the core refuses.
pub(super) async fn by_password(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    credentials: NamePassword,
) -> Result<SignedOn, Refusal> {
    let RequestContext { front, connection, facts, .. } = context;
    connection.sign_on.begin_attempt();
    if !facts.secure {
        return Err(Refusal::tried(Mechanism::Basic, Reason::BasicNeedsTls));
    }
    let NamePassword { user, password } = credentials;
    if let Some(signed_on) = existing_session(context, policy, &user).await {
        return Ok(signed_on);
    }
    let cookie = new_cookie(Mechanism::Basic)?;
    let secret = cookie.session(facts.origin());
    match front.core.sign_on_by_password(user, password, facts.client, secret).await {
        Ok(grant) => {
            front.metrics.granted(Mechanism::Basic);
            Ok(SignedOn { grant, new_session: Some(NewSession { cookie, reply: None }) })
        }
        Err(no) => Err(Refusal::by_core(Mechanism::Basic, no)),
    }
}

/// The session of one of the request's cookies, where this name has opened it by password.
async fn existing_session(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    user: &str,
) -> Option<SignedOn> {
    let RequestContext { front, headers, facts, .. } = context;
    for secret in Presented::read(headers, facts.origin()).sessions {
        let Ok(grant) = front.core.resolve(&secret, facts.client).await else { continue };
        let session = grant.session();
        let same = session.mechanism == Mechanism::Basic && session.typed.as_deref() == Some(user);
        if same && policy.accepts_session(&grant, Shows::Cookie).is_ok() {
            front.metrics.session_requests.inc();
            return Some(SignedOn::by_session(grant));
        }
    }
    None
}

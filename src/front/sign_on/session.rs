//! Sign-on by a session that exists already.

use super::policy::{Policy, Shows};
use super::{Refusal, RequestContext, SignedOn, certificate, connection};
use crate::front::core_link::Grant;
use crate::front::request::cookie::Presented;
use crate::wire::{Reason, SessionSecret};

/// By the session that a cookie shows, else by what was proven on the connection.
/// Whoever sends a cookie of ours, whatever became of it, is not asked for by
/// the connection: it may be a proxy's, and another's.
pub(super) async fn by_session(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    otherwise: Reason,
) -> Result<SignedOn, Refusal> {
    let RequestContext { front, headers, facts, .. } = context;
    let mut why = Refusal::new(match otherwise {
        Reason::NoCredentials => policy.nothing_shown(),
        otherwise => otherwise,
    });
    let presented = Presented::read(headers, facts.origin());
    let proven = connection::session(context).filter(|_| presented.named == 0);
    let proven = proven.iter().map(|secret| (secret, Shows::Cookie));
    let mut found: Option<Grant> = None;
    for (secret, by) in in_cookies(&presented, policy).chain(proven) {
        let grant = match front.core.resolve(secret, facts.client).await {
            Ok(grant) => grant,
            Err(no) => {
                why = no.into();
                continue;
            }
        };
        match accepts_session(context, policy, &grant, by).await {
            Ok(()) => match &found {
                Some(other) if other.session().user != grant.session().user => {
                    return Err(Refusal::new(Reason::SeveralSessions));
                }
                Some(_) => {}
                None => found = Some(grant),
            },
            Err(refusal) => why = refusal,
        }
    }
    let grant = found.ok_or(why)?;
    front.metrics.session_requests.inc();
    tracing::debug!(login = grant.session().user.login(), "a session is accepted");
    Ok(SignedOn::by_session(grant))
}

/// The sessions that a request's cookies may stand for here.
fn in_cookies<'a>(
    presented: &'a Presented,
    policy: &Policy<'_>,
) -> impl Iterator<Item = (&'a SessionSecret, Shows)> {
    let bare: &[SessionSecret] =
        if policy.takes_api_sessions() { &presented.bare } else { Default::default() };
    let cookies = presented.sessions.iter().map(|secret| (secret, Shows::Cookie));
    cookies.chain(bare.iter().map(|secret| (secret, Shows::Secret)))
}

async fn accepts_session(
    context: RequestContext<'_>,
    policy: &Policy<'_>,
    grant: &Grant,
    by: Shows,
) -> Result<(), Refusal> {
    policy.accepts_session(grant, by).map_err(Refusal::new)?;
    certificate::accepts_session(context, policy, grant).await
}

//! Sign-on by a session that exists already.

use super::cookie::Presented;
use super::policy::{Policy, Shows};
use super::{Present, Refusal, Visit, certificate};
use crate::front::core_link::Grant;
use crate::wire::{Reason, SessionSecret};

/// By the session that a cookie shows, else by what was proven on the connection.
/// Whoever sends a cookie of ours, whatever became of it, is not asked for by
/// the connection: it may be a proxy's, and another's.
pub(super) async fn by_session(
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
    tracing::debug!(login = grant.session().user.login(), "a session counts");
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

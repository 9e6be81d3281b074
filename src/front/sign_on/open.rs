//! Opens a session for a client that has proven its identity.

use super::{NewSession, Refusal, Reply, RequestContext, SignedOn, connection};
use crate::front::request::cookie::CookieSecret;
use crate::mechanism::Proof;
use crate::wire::{Mechanism, Reason};

/// Has the core open a session for what was proven.
pub(super) async fn open(
    context: RequestContext<'_>,
    proof: Proof,
    reply: Option<Reply>,
) -> Result<SignedOn, Refusal> {
    let RequestContext { front, facts, .. } = context;
    let mechanism = proof.message().mechanism;
    let cookie = new_cookie(mechanism)?;
    let secret = cookie.session(facts.origin());
    match front.core.sign_on(proof, facts.client, secret.clone()).await {
        Ok(grant) => {
            front.metrics.granted(mechanism);
            tracing::debug!(login = grant.session().user.login(), "signed on");
            connection::keep(context, mechanism, secret);
            Ok(SignedOn { grant, new_session: Some(NewSession { cookie, reply }) })
        }
        Err(no) => Err(Refusal::by_core(mechanism, no)),
    }
}

/// The secret of a new session's cookie.
pub(super) fn new_cookie(mechanism: Mechanism) -> Result<CookieSecret, Refusal> {
    CookieSecret::random().ok_or_else(|| {
        Refusal::tried(mechanism, Reason::Busy).with_detail("the system has no random numbers")
    })
}

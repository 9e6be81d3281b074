//! A session for whoever has proven who he is.

use super::Visit;
use super::connection::keeps;
use super::cookie::CookieSecret;
use super::outcome::{Fresh, Present, Refusal, Reply};
use crate::mechanism::Proof;
use crate::wire::{Mechanism, Reason};

/// Has the core open a session for what was proven.
pub(super) async fn open(
    visit: Visit<'_>,
    proof: Proof,
    reply: Option<Reply>,
) -> Result<Present, Refusal> {
    let Visit { front, connection, facts, .. } = visit;
    let mechanism = proof.message().mechanism;
    let cookie = new_cookie(mechanism)?;
    let secret = cookie.session(facts.origin());
    match front.core.sign_on(proof, facts.client, secret.clone()).await {
        Ok(grant) => {
            front.metrics.granted(mechanism);
            tracing::debug!(login = grant.session().user.login(), "signed on");
            if let Some(client) = keeps(visit, mechanism) {
                connection.bind(&facts.host, secret, client);
            }
            Ok(Present { grant, fresh: Some(Fresh { cookie, reply }) })
        }
        Err(no) => {
            let detail = no.detail;
            Err(Refusal { detail, ..Refusal::tried(mechanism, no.reason) })
        }
    }
}

/// The secret of a new session's cookie.
pub(in crate::front) fn new_cookie(mechanism: Mechanism) -> Result<CookieSecret, Refusal> {
    CookieSecret::random().ok_or_else(|| Refusal {
        detail: "the system gives no random numbers".to_owned(),
        ..Refusal::tried(mechanism, Reason::Busy)
    })
}

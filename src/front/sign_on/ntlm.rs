//! Performs the effects of NTLM with an acceptor. Each answer of a client is a password attempt:
//! the core allows it before winbind is asked, and counts the result. Refusals leave at the same
//! steps as those of passwords.

use std::sync::Arc;

use super::RequestContext;
use crate::clock;
use crate::front::state::Front;
use crate::mechanism::ntlm::{Acceptor, Answer, Question};
use crate::schedule;
use crate::wire::Reason;
use crate::wire::attempts::{Attempt, AttemptVerdict};

/// Answers a question of an exchange.
pub(super) async fn answer(context: RequestContext<'_>, question: Question) -> Answer {
    let Some(acceptor) = &context.live.ntlm else { return Answer::not_offered() };
    let Question::Verify { authenticate, .. } = &question else {
        return acceptor.answer(question).await;
    };
    let began = clock::instant();
    let attempt = Attempt {
        user: authenticate.user.clone(),
        domain: authenticate.domain.clone(),
        client: Some(context.facts.client),
    };
    let work = verify(Arc::clone(context.front), Arc::clone(acceptor), attempt, question);
    // To its end, though the client leaves: what came of it is to be counted.
    let answer = tokio::spawn(work).await.unwrap_or_else(|_| Answer::Refused {
        reason: Reason::NtlmHelperFailed,
        detail: "the task that asked winbind panicked".to_owned(),
    });
    if matches!(answer, Answer::Refused { reason: Reason::LogonFailed, .. }) {
        schedule::next_step(began).await;
    }
    answer
}

async fn verify(
    front: Arc<Front>,
    acceptor: Arc<Acceptor>,
    attempt: Attempt,
    question: Question,
) -> Answer {
    let leave = match front.core.begin_attempt(attempt).await {
        Ok(leave) => leave,
        Err(no) => return Answer::Refused { reason: no.reason, detail: no.detail },
    };
    let answer = acceptor.answer(question).await;
    leave.end(match &answer {
        Answer::Verified(_) | Answer::Refused { reason: Reason::NtlmUnnamed, .. } => {
            AttemptVerdict::Right
        }
        Answer::Refused { reason: Reason::LogonFailed, .. } => AttemptVerdict::Wrong,
        Answer::Refused { .. } | Answer::Challenge { .. } => AttemptVerdict::Unknown,
    });
    answer
}

//! Each answer of a client is an attempt at a password. Somebody gives leave
//! before winbind is asked, and counts what came of it; refusals leave at the same
//! steps as those of passwords.

use std::net::IpAddr;
use std::sync::Arc;

use super::acceptor::Acceptor;
use super::effect::{Question, Verified};
use crate::wire::attempts::{Attempt, AttemptVerdict};
use crate::wire::{Denied, Reason};
use crate::{clock, schedule};

/// Gives leave for attempts at passwords: the core, by way of the front.
pub(crate) trait Attempts: Clone + Send + Sync + 'static {
    type Leave: Leave;

    /// Waits until the attempt may be made.
    ///
    /// # Errors
    /// It may not.
    fn begin(&self, attempt: Attempt) -> impl Future<Output = Result<Self::Leave, Denied>> + Send;
}

/// Leave for one attempt. One that is dropped without a word counts as wrong.
pub(crate) trait Leave: Send {
    /// Says what came of the attempt.
    fn end(self, verdict: AttemptVerdict);
}

/// Has a client's answer verified.
///
/// # Errors
/// There is no leave to try it, or the password is not right.
pub(in crate::mechanism) async fn verify<A: Attempts>(
    acceptor: &Arc<Acceptor>,
    attempts: &A,
    client: IpAddr,
    question: Question,
) -> Result<Verified, Denied> {
    let began = clock::instant();
    let attempt = question.attempt(client);
    let (acceptor, attempts) = (Arc::clone(acceptor), attempts.clone());
    // To its end, though the client leaves: what came of it is to be counted.
    let work = tokio::spawn(async move {
        let leave = attempts.begin(attempt).await?;
        let verified = acceptor.verify(question).await;
        leave.end(verdict(&verified));
        verified
    });
    let verified = work.await.unwrap_or_else(|_| {
        Err(Denied::new(Reason::NtlmHelperFailed, "the task that asked winbind panicked"))
    });
    if matches!(&verified, Err(denied) if denied.reason == Reason::LogonFailed) {
        schedule::next_step(began).await;
    }
    verified
}

/// What an answer says of the password.
fn verdict<T>(verified: &Result<T, Denied>) -> AttemptVerdict {
    match verified {
        Ok(_) => AttemptVerdict::Right,
        Err(denied) => match denied.reason {
            // Right, and nobody can say whose it is.
            Reason::NtlmUnnamed => AttemptVerdict::Right,
            Reason::LogonFailed => AttemptVerdict::Wrong,
            _ => AttemptVerdict::Unknown,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_winbind_says_of_the_password_counts() {
        for (verified, expected) in [
            (Ok(()), AttemptVerdict::Right),
            (Err(Reason::NtlmUnnamed), AttemptVerdict::Right),
            (Err(Reason::LogonFailed), AttemptVerdict::Wrong),
            (Err(Reason::WinbindDown), AttemptVerdict::Unknown),
            (Err(Reason::Busy), AttemptVerdict::Unknown),
            (Err(Reason::ExchangeInterrupted), AttemptVerdict::Unknown),
        ] {
            assert_eq!(verdict(&verified.map_err(Denied::from)), expected, "{verified:?}");
        }
    }
}

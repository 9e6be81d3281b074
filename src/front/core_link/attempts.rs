//! Password attempts that are checked here (NTLM): the core allows each one, and counts the
//! result. All that wait are sent together.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::timeout;

use super::{CoreLink, NoGrant, refusal, refused};
use crate::core_client::{Client, ClientError};
use crate::mechanism::ntlm;
use crate::wire::attempts::{Attempt, AttemptAnswer, AttemptVerdict, Attempts, EndedAttempt};
use crate::wire::{Denied, Reason};

/// Leave for one attempt. One that is dropped without a word counts as wrong.
#[derive(Debug)]
pub(in crate::front) struct Leave {
    number: u64,
    link: Arc<CoreLink>,
}

/// The queue of attempts for the core.
#[derive(Debug)]
pub(super) struct AttemptQueue {
    orders: mpsc::Sender<Order>,
    /// Fires when an attempt has ended: another one may have leave now.
    ended: Notify,
}

type Asker = oneshot::Sender<Result<AttemptAnswer, NoGrant>>;

#[derive(Debug)]
enum Order {
    Begin(Attempt, Asker),
    End(EndedAttempt),
}

impl ntlm::Attempts for Arc<CoreLink> {
    type Leave = Leave;

    /// Asks for leave to have a password checked, and waits while as many are
    /// being checked as may fail.
    ///
    /// # Errors
    /// [`Reason::TooManyAttempts`], [`Reason::Busy`], or the core does not answer.
    async fn begin(&self, attempt: Attempt) -> Result<Leave, Denied> {
        let leave = timeout(PATIENCE, self.await_leave(attempt)).await;
        let leave =
            leave.unwrap_or_else(|_| Err(refused(Reason::Busy, "too many attempts at once")));
        leave.map_err(|no| Denied::new(no.reason, no.detail))
    }
}

impl ntlm::Leave for Leave {
    /// Tells the core what came of the attempt, without waiting for it.
    fn end(self, verdict: AttemptVerdict) {
        let ended = EndedAttempt { attempt: self.number, verdict };
        // A full queue loses it, and the attempt counts as wrong: never too few.
        let _ = self.link.attempts.orders.try_send(Order::End(ended));
        self.link.attempts.ended.notify_one();
    }
}

impl CoreLink {
    async fn await_leave(self: &Arc<Self>, attempt: Attempt) -> Result<Leave, NoGrant> {
        loop {
            match self.attempts.ask(attempt.clone()).await? {
                AttemptAnswer::Begun(number) => {
                    return Ok(Leave { number, link: Arc::clone(self) });
                }
                // Another front's attempt may be the one that is waited for: so not for long.
                AttemptAnswer::Wait => {
                    let _ = timeout(RETRY, self.attempts.ended.notified()).await;
                }
                AttemptAnswer::Refused(body) => return Err(refusal(ClientError::Refused(body))),
            }
        }
    }
}

impl AttemptQueue {
    /// Starts the task that carries them; it ends when this is dropped.
    pub(super) fn start(client: Arc<Client>) -> Self {
        let (orders, waiting) = mpsc::channel(WAITING);
        tokio::spawn(carry(client, waiting));
        Self { orders, ended: Notify::new() }
    }

    async fn ask(&self, attempt: Attempt) -> Result<AttemptAnswer, NoGrant> {
        let (answer, answered) = oneshot::channel();
        if self.orders.try_send(Order::Begin(attempt, answer)).is_err() {
            return Err(refused(Reason::Busy, "too many attempts wait for the core"));
        }
        answered
            .await
            .unwrap_or_else(|_| Err(refused(Reason::CoreUnreachable, "the front is stopping")))
    }
}

/// One batch after the other: an end that was told before a beginning is heard before it.
async fn carry(client: Arc<Client>, mut waiting: mpsc::Receiver<Order>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut unheard = Vec::new();
    while waiting.recv_many(&mut batch, BATCH).await > 0 {
        let (mut attempts, mut askers) = (Attempts { begin: Vec::new(), end: unheard }, Vec::new());
        for order in batch.drain(..) {
            match order {
                Order::Begin(attempt, asker) => {
                    attempts.begin.push(attempt);
                    askers.push(asker);
                }
                Order::End(ended) => attempts.end.push(ended),
            }
        }
        unheard = tell(&client, &attempts, askers).await;
    }
}

/// Gives back the attempts that have leave, and whose askers have gone away.
async fn tell(client: &Client, attempts: &Attempts, askers: Vec<Asker>) -> Vec<EndedAttempt> {
    let answers = match client.attempts(attempts).await {
        Ok(answers) => answers,
        Err(error) => {
            let refusal = refusal(error);
            for asker in askers {
                drop(asker.send(Err(refusal.clone())));
            }
            return Vec::new();
        }
    };
    let unheard = |(asker, answer): (Asker, AttemptAnswer)| match asker.send(Ok(answer)) {
        Err(Ok(AttemptAnswer::Begun(attempt))) => {
            Some(EndedAttempt { attempt, verdict: AttemptVerdict::Unknown })
        }
        _ => None,
    };
    askers.into_iter().zip(answers).filter_map(unheard).collect()
}

/// Orders that travel together at most.
const BATCH: usize = 128;
/// Orders that may wait.
const WAITING: usize = 8192;
/// How long an attempt waits for those before it.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long it waits before it asks again.
const RETRY: Duration = Duration::from_millis(100);

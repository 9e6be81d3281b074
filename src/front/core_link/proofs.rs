//! Sends all waiting proofs together: in a storm of sign-ons, the core needs one request and one
//! commit for many.

use std::net::IpAddr;
use std::sync::Arc;

use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{Answer, Grant, NoGrant, refusal};
use crate::core_client::{Client, ClientError};
use crate::mechanism::Proof;
use crate::wire::{OpenSession, Reason, SessionSecret};

/// Proofs that travel together at most.
const BATCH: usize = 128;
/// Batches on their way at once: while one is written to the disk, the next one is read.
const ON_THEIR_WAY: usize = 2;
/// Proofs that may wait for the core.
const WAITING: usize = 4096;

type Waiting = (OpenSession, oneshot::Sender<Answer>);

/// The queue of proofs for the core.
#[derive(Debug)]
pub(super) struct Proofs(mpsc::Sender<Waiting>);

impl Proofs {
    /// Starts the task that carries them; it ends when this is dropped.
    pub(super) fn start(client: Arc<Client>) -> Self {
        let (proofs, waiting) = mpsc::channel(WAITING);
        tokio::spawn(carry(client, waiting));
        Self(proofs)
    }

    /// Asks the core for a session of this secret.
    pub(super) async fn submit(
        &self,
        proof: Proof,
        client: IpAddr,
        secret: SessionSecret,
    ) -> Answer {
        let question = OpenSession::proven(proof.into_message(), client, secret);
        let (answer, answered) = oneshot::channel();
        if self.0.try_send((question, answer)).is_err() {
            return Err(NoGrant::new(Reason::Busy, "too many proofs wait for the core"));
        }
        answered
            .await
            .unwrap_or_else(|_| Err(NoGrant::new(Reason::CoreUnreachable, "the front is stopping")))
    }
}

async fn carry(client: Arc<Client>, mut waiting: mpsc::Receiver<Waiting>) {
    let places = Arc::new(Semaphore::new(ON_THEIR_WAY));
    loop {
        // The semaphore is never closed.
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        let mut batch = Vec::with_capacity(BATCH);
        if waiting.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        let client = Arc::clone(&client);
        tokio::spawn(async move {
            ask(&client, batch).await;
            drop(place);
        });
    }
}

async fn ask(client: &Client, batch: Vec<Waiting>) {
    let (questions, askers): (Vec<_>, Vec<_>) = batch.into_iter().unzip();
    match client.open_many(questions).await {
        Ok(answers) => {
            for (asker, answer) in askers.into_iter().zip(answers) {
                let answer =
                    answer.map(Grant::new).map_err(|body| refusal(ClientError::Refused(body)));
                // An asker that has gone away left its session unclaimed: it ends by itself.
                drop(asker.send(answer));
            }
        }
        Err(error) => {
            let refusal = refusal(error);
            for asker in askers {
                drop(asker.send(Err(refusal.clone())));
            }
        }
    }
}

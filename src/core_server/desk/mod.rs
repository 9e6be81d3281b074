//! The verbs of the core: all that it does for anybody.
//!
//! Each verb has its rights checked, does its work to the end though the asker
//! leaves, writes its audit line, and returns a value. A door reads what it is
//! asked, calls the verb, and writes down what comes of it. What a door could not
//! read it hands over as the refusal that it is: rights are checked before.

use std::net::IpAddr;
use std::sync::Arc;

use super::Core;
use super::peer::Peer;
use super::refusal::Refusal;
use super::rights::{Action, AskWhoami, Asked, CountAttempts, Permit, permit, permits};
use super::store::WriteError;
use crate::wire::attempts::{AttemptAnswers, Attempts};
use crate::wire::{Denied, Whoami};

mod audit;
mod by_certificate;
mod events;
mod lists;
mod open;
mod reception;
mod sessions;

pub(in crate::core_server) use lists::Page;

/// The core, as one peer may use it.
#[derive(Clone, Debug)]
pub(in crate::core_server) struct Desk {
    core: Arc<Core>,
    peer: Arc<Peer>,
}

impl Core {
    /// Serves a peer.
    pub(in crate::core_server) fn desk(self: &Arc<Self>, peer: Arc<Peer>) -> Desk {
        Desk { core: Arc::clone(self), peer }
    }
}

impl Desk {
    /// As whom the core knows the peer.
    pub(in crate::core_server) fn whoami(&self) -> Result<Whoami, Refusal> {
        self.permit(AskWhoami).map(|permit| known_as(&permit, &self.peer))
    }

    /// Whom it serves.
    pub(in crate::core_server) fn peer(&self) -> &Peer {
        &self.peer
    }

    /// Whether it may hand in proofs, which may be large; passwords and names are not.
    pub(in crate::core_server) fn takes_proofs(&self) -> bool {
        self.may(Action::OpenByProof)
    }

    /// Leave to have passwords checked elsewhere, and what came of it.
    pub(in crate::core_server) fn attempts(
        &self,
        attempts: Result<Attempts, Refusal>,
    ) -> Result<AttemptAnswers, Refusal> {
        let permit = self.permit(CountAttempts)?;
        Ok(self.core.count_attempts(&permit, &self.peer, attempts?))
    }

    /// Leave to do something.
    fn permit<A: Asked>(&self, asked: A) -> Result<Permit<A>, Refusal> {
        permit(self.peer.actor(), asked).map_err(|denied| self.not_permitted(&denied))
    }

    fn may(&self, action: Action<'_>) -> bool {
        permits(self.peer.actor(), action)
    }

    fn not_permitted(&self, denied: &Denied) -> Refusal {
        let refusal = Refusal::no_access(&self.peer, denied);
        self.core.audit_denied_peer(&self.peer, denied, &refusal.reference);
        refusal
    }

    /// The address of a client, where the peer's word on it counts.
    fn client(&self, told: Option<IpAddr>) -> Option<IpAddr> {
        told.filter(|_| self.may(Action::TellClients)).map(|address| address.to_canonical())
    }

    /// Does work that must not stop half way when the asker leaves.
    async fn uncancelled<T: Send + 'static>(
        work: impl Future<Output = T> + Send + 'static,
    ) -> Result<T, Refusal> {
        tokio::spawn(work).await.map_err(|_| Refusal::unrecorded(WriteError::Failed))
    }
}

fn known_as(_permit: &Permit<AskWhoami>, peer: &Peer) -> Whoami {
    Whoami {
        peer: peer.credential().into(),
        uid: peer.uid(),
        key: peer.key_file().cloned(),
        acting_as: peer.acting_as(),
    }
}

//! By Kerberos or NTLM, as a front has proven.

use super::identified::Identified;
use super::{Context, SessionRequest};
use crate::core_server::rights::{OpenByProof, Permit};
use crate::wire::open::ByProof;
use crate::wire::{Denied, Mechanism, SessionSecret};

/// What was gathered for proofs: nothing yet. The accounts that a directory tells
/// will be in it.
#[derive(Clone, Copy, Debug)]
pub(in crate::core_server) struct Gathered(());

/// Looks up what is needed to decide on proofs, for all of them at once.
pub(in crate::core_server) async fn gather(_proofs: &[&ByProof]) -> Gathered {
    Gathered(())
}

impl SessionRequest for ByProof {
    type Right = OpenByProof;
    const RIGHT: OpenByProof = OpenByProof;
    type Gathered = Gathered;

    fn claims(&self) -> (Mechanism, &str) {
        (self.proof.mechanism, &self.proof.principal)
    }

    fn act_as(&self) -> Option<&str> {
        self.act_as.as_deref()
    }

    fn take_secret(&mut self) -> Option<SessionSecret> {
        self.secret.take()
    }

    fn identify(
        self,
        _permit: &Permit<OpenByProof>,
        _gathered: Gathered,
        context: &Context<'_>,
    ) -> Result<Identified, Denied> {
        Identified::proven(self.proof, &context.policy.identity)
    }
}

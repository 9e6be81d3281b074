//! By the word of a peer that may vouch for the user it names.

use super::identified::Identified;
use super::{Context, SessionRequest};
use crate::core_server::rights::{OpenTrusted, Permit, VouchFor, permit};
use crate::identity::Named;
use crate::wire::open::Trusted;
use crate::wire::{Denied, Mechanism};

/// What was gathered for names: nothing yet. The accounts that a directory tells
/// will be in it.
#[derive(Clone, Copy, Debug)]
pub(in crate::core_server) struct Gathered(());

/// Looks up what is needed to decide on names, for all of them at once.
pub(in crate::core_server) async fn gather() -> Gathered {
    Gathered(())
}

impl SessionRequest for Trusted {
    type Right = OpenTrusted;
    const RIGHT: OpenTrusted = OpenTrusted;
    type Gathered = Gathered;

    fn claims(&self) -> (Mechanism, &str) {
        (Mechanism::Trusted, &self.user)
    }

    fn act_as(&self) -> Option<&str> {
        self.act_as.as_deref()
    }

    fn identify(
        self,
        _permit: &Permit<OpenTrusted>,
        _gathered: Gathered,
        context: &Context<'_>,
    ) -> Result<Identified, Denied> {
        let named = Named::read(self.user, &context.policy.identity)?;
        Ok(Identified::vouched(permit(context.actor, VouchFor(named))?))
    }
}

//! By being the account of that name: a program of this host, by its uid. SYSTEM
//! needs no password for anybody, so whomever it names it vouches for.

use super::identified::Identified;
use super::trusted::Gathered;
use super::{Context, SessionRequest};
use crate::core_server::rights::{AccountOf, Actor, OpenOwn, Permit, VouchFor, permit};
use crate::identity::Named;
use crate::wire::open::Own;
use crate::wire::{Denied, Mechanism};

impl SessionRequest for Own {
    type Right = OpenOwn;
    const RIGHT: OpenOwn = OpenOwn;
    type Gathered = Gathered;

    fn claims(&self) -> (Mechanism, &str) {
        (Mechanism::Unix, &self.user)
    }

    fn act_as(&self) -> Option<&str> {
        self.act_as.as_deref()
    }

    fn identify(
        self,
        _permit: &Permit<OpenOwn>,
        _gathered: Gathered,
        context: &Context<'_>,
    ) -> Result<Identified, Denied> {
        let named = Named::read(self.user, &context.policy.identity)?;
        Ok(match context.actor {
            Actor::System => Identified::vouched(permit(context.actor, VouchFor(named))?),
            actor => Identified::own(permit(actor, AccountOf(named))?),
        })
    }
}

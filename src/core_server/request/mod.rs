//! Requests for a session: one file a kind, the same three steps each.
//!
//! 1. *gather*: what must be looked up first, of keys, of passwords at the KDC, and
//!    later of accounts in a directory. Async; for a batch all of it at once.
//! 2. *decide*: of the request, what was gathered, the settings and the time. Pure.
//! 3. *open*: the desk opens a session for each [`Admission`], a batch with one
//!    write to the disk.

use std::net::IpAddr;

use crate::clock::Timestamp;
use crate::core_server::policy::Policy;
use crate::core_server::rights::{ActAsUser, Actor, Asked, Permit, VouchFor, permit};
use crate::wire::{Denied, KeyFile, Mechanism, Reason, SessionSecret};

pub(in crate::core_server) mod admit;
pub(in crate::core_server) mod certificate;
pub(in crate::core_server) mod identified;
mod own;
pub(in crate::core_server) mod password;
pub(in crate::core_server) mod proof;
pub(in crate::core_server) mod trusted;

use crate::identity::Named;
use admit::{Admission, admit, impersonate};
use identified::Identified;

/// One kind of request.
pub(in crate::core_server) trait SessionRequest:
    Sized + Send + 'static
{
    /// The right that it takes.
    type Right: Asked + Send;
    const RIGHT: Self::Right;

    /// What was gathered for it, or for a batch of its kind.
    type Gathered: Send;

    /// By what the owner would be known, and under which name.
    fn claims(&self) -> (Mechanism, &str);

    /// As whom the session shall be, if as somebody else.
    fn act_as(&self) -> Option<&str> {
        None
    }

    /// The secret that is proposed for the session.
    fn take_secret(&mut self) -> Option<SessionSecret> {
        None
    }

    /// Who it is.
    fn identify(
        self,
        permit: &Permit<Self::Right>,
        gathered: Self::Gathered,
        context: &Context<'_>,
    ) -> Result<Identified, Denied>;
}

/// By whom, where and when a request is decided on.
#[derive(Clone, Copy, Debug)]
pub(in crate::core_server) struct Context<'a> {
    pub(in crate::core_server) actor: Actor<'a>,
    /// The client's address, where the peer's word on it counts.
    pub(in crate::core_server) client: Option<IpAddr>,
    pub(in crate::core_server) policy: &'a Policy,
    pub(in crate::core_server) now: Timestamp,
}

/// What was decided.
#[derive(Debug)]
pub(in crate::core_server) struct Decision {
    /// The file of the key that a certificate was shown for, where the key counts.
    pub(in crate::core_server) key_file: Option<KeyFile>,
    pub(in crate::core_server) admission: Result<Admission, Denied>,
}

/// Decides on a request. Who acts as somebody else must first be admitted.
pub(in crate::core_server) fn decide<R: SessionRequest>(
    request: R,
    permit: &Permit<R::Right>,
    gathered: R::Gathered,
    context: &Context<'_>,
) -> Decision {
    let Context { policy, now, .. } = *context;
    let act_as = request.act_as().map(str::to_owned);
    let identified = request.identify(permit, gathered, context);
    let key_file = identified.as_ref().ok().and_then(Identified::key_file).cloned();
    let admission = identified
        .and_then(|identified| Ok(admit(identified, policy.lifetime, now)?))
        .and_then(|admission| match act_as {
            Some(other) => act_as_user(admission, other, context),
            None => Ok(admission),
        })
        .map_err(|denied| match denied.reason {
            Reason::RealmNotAllowed if denied.detail.is_empty() => {
                Denied::new(denied.reason, policy.identity.allowed())
            }
            _ => denied,
        });
    Decision { key_file, admission }
}

/// Lets who was admitted act as somebody else: by their own level, or by SYSTEM's
/// word; through a service only as those for whom that vouches.
fn act_as_user(
    admission: Admission,
    other: String,
    context: &Context<'_>,
) -> Result<Admission, Denied> {
    let actor = context.actor;
    let mut other = Named::read(other, &context.policy.identity)?;
    if let Actor::Service(_) = actor {
        other = permit(actor, VouchFor(other))?.into_action().0;
    }
    let who = match actor {
        Actor::System => actor,
        _ => admission.user().actor(),
    };
    let permit = permit(who, ActAsUser(other))?;
    Ok(impersonate(admission, permit))
}

//! By name and password, as the KDC judges them.

use std::net::IpAddr;

use super::identified::Identified;
use super::{Context, SessionRequest};
use crate::core_server::Core;
use crate::core_server::password::{Origin, Unverified, Verified};
use crate::core_server::peer::Peer;
use crate::core_server::policy::Policy;
use crate::core_server::rights::{OpenByPassword, Permit};
use crate::wire::open::{ByPassword, Entered};
use crate::wire::{Denied, Mechanism, SessionSecret};

/// Has the password judged. It is counted at the client's address, or else at the
/// peer's own.
pub(in crate::core_server) async fn gather(
    _permit: &Permit<OpenByPassword>,
    request: &ByPassword,
    core: &Core,
    peer: &Peer,
    client: Option<IpAddr>,
    policy: &Policy,
) -> Result<Verified, Unverified> {
    let origin = match client {
        Some(address) => Origin::of(address),
        None => Origin::Program(peer.uid().unwrap_or(u32::MAX)),
    };
    let rules = (&policy.passwords, &policy.identity);
    core.passwords.check(&request.user, &request.password, origin, rules).await
}

impl SessionRequest for ByPassword {
    type Right = OpenByPassword;
    const RIGHT: OpenByPassword = OpenByPassword;
    type Gathered = Verified;

    fn claims(&self) -> (Mechanism, &str) {
        let mechanism = match self.entered {
            Entered::Here => Mechanism::Password,
            Entered::Basic(_) => Mechanism::Basic,
        };
        (mechanism, &self.user)
    }

    fn act_as(&self) -> Option<&str> {
        self.act_as.as_deref()
    }

    fn take_secret(&mut self) -> Option<SessionSecret> {
        match &mut self.entered {
            Entered::Here => None,
            Entered::Basic(secret) => secret.take(),
        }
    }

    fn identify(
        self,
        _permit: &Permit<OpenByPassword>,
        verified: Verified,
        _context: &Context<'_>,
    ) -> Result<Identified, Denied> {
        let (mechanism, _) = self.claims();
        Ok(Identified::verified(verified, mechanism))
    }
}

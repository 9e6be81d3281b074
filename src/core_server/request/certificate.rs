//! By certificate: a front has proven who holds the key, and the core knows whom
//! the key signs on.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use super::identified::Identified;
use super::{Context, SessionRequest};
use crate::clock::Timestamp;
use crate::core_server::Core;
use crate::core_server::peer::keys::KeyGrant;
use crate::core_server::policy::Policy;
use crate::core_server::rights::{OpenByProof, Permit};
use crate::pki::peer::peer_keys::Listed;
use crate::wire::open::ByCertificate;
use crate::wire::{Denied, Mechanism, Reason, SessionSecret};

/// The keys of `sslkeys_path` at this moment; `None` where they could not be looked
/// at in time.
#[derive(Clone, Debug)]
pub(in crate::core_server) struct Gathered(Option<Arc<Listed>>);

/// Looks at the keys, for all certificates at once.
pub(in crate::core_server) async fn gather(
    core: &Core,
    policy: &Policy,
    now: Timestamp,
) -> Gathered {
    Gathered(core.listed(policy, now).await)
}

impl SessionRequest for ByCertificate {
    type Right = OpenByProof;
    const RIGHT: OpenByProof = OpenByProof;
    type Gathered = Gathered;

    fn claims(&self) -> (Mechanism, &str) {
        (Mechanism::Certificate, &self.proof.principal)
    }

    fn take_secret(&mut self) -> Option<SessionSecret> {
        self.secret.take()
    }

    fn identify(
        self,
        _permit: &Permit<OpenByProof>,
        Gathered(listed): Gathered,
        context: &Context<'_>,
    ) -> Result<Identified, Denied> {
        let Self { proof, public_key, .. } = self;
        let Context { client, policy, now, .. } = *context;
        let listed = listed.ok_or(Reason::Busy)?;
        // An entry that is limited to networks never matches an unknown address.
        let from = client.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let user = (policy.keys.grant(&listed, public_key, Some(from), now))
            .and_then(KeyGrant::user)
            .and_then(|user| Identified::certified(proof, public_key, user, &policy.identity));
        user.map_err(|denied| {
            Denied::new(denied.reason, format!("key {public_key}: {}", denied.detail))
        })
    }
}

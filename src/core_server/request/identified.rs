//! Who was identified, with what is known of the sign-on. Each is made from one
//! source, so nobody's identity is beside another one's facts.

use crate::clock::Timestamp;
use crate::core_server::password::Verified;
use crate::core_server::peer::keys::KeyUser;
use crate::core_server::rights::{AccountOf, Permit, VouchFor};
use crate::identity::{self, Identity, Named, Rules, Via, identify};
use crate::wire::mechanism::Evidence;
use crate::wire::{Denied, Fingerprint, KeyFile, Mechanism, Proof};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Identified {
    identity: Identity,
    facts: Facts,
    /// The file of the key that a certificate was shown for.
    key_file: Option<KeyFile>,
}

/// What is known of a sign-on besides the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Facts {
    /// How the owner was proven.
    pub mechanism: Mechanism,
    /// The principal, or the name that a trusted peer gave, exactly as it came.
    pub principal: String,
    /// By password: the name as it was typed.
    pub typed: Option<String>,
    /// The key that a certificate was shown for.
    pub public_key: Option<Fingerprint>,
    /// Whether the proof was bound to a TLS channel.
    pub channel_bound: bool,
    /// When the ticket or the certificate ends.
    pub ends_at: Option<Timestamp>,
    /// Group SIDs from the ticket.
    pub groups: Vec<String>,
}

impl Identified {
    /// By what a front has proven.
    ///
    /// # Errors
    /// Those of [`identity::verified`].
    pub(in crate::core_server) fn proven(proof: Proof, rules: &Rules) -> Result<Self, Denied> {
        let own = proof.acceptor_realm.as_deref();
        let via = match proof.mechanism.row().evidence {
            Evidence::WindowsAccount => Via::Ntlm { own_domain: own },
            Evidence::Principal
            | Evidence::Key
            | Evidence::PasswordAtFront
            | Evidence::PasswordAtCore
            | Evidence::Peer => Via::Kerberos { acceptor_realm: own },
        };
        let identity = identity::verified(&proof.principal, proof.account.as_deref(), via, rules)?;
        Ok(Self { identity, facts: Facts::proven(proof), key_file: None })
    }

    /// By the key of a certificate. The user is the one that the key's entry names;
    /// what the certificate says of itself is only told.
    ///
    /// # Errors
    /// The entry names nobody who could sign on.
    pub(in crate::core_server) fn certified(
        proof: Proof,
        public_key: Fingerprint,
        user: KeyUser,
        rules: &Rules,
    ) -> Result<Self, Denied> {
        let identity = identify(user.user.login(), Via::Trusted, rules).map_err(|reason| {
            Denied::new(reason, format!("{} signs on {}", user.file, user.user))
        })?;
        let ends_at = [proof.ends_at, user.ends_at].into_iter().flatten().min();
        let proof = Proof { groups: Vec::new(), ends_at, ..proof };
        let facts = Facts { public_key: Some(public_key), ..Facts::proven(proof) };
        Ok(Self { identity, facts, key_file: Some(user.file) })
    }

    /// By a password, as the KDC judged it.
    pub(in crate::core_server) fn verified(verified: Verified, mechanism: Mechanism) -> Self {
        let (identity, principal, typed, groups) = verified.into_parts();
        let facts = Facts { typed: Some(typed), groups, ..Facts::named(mechanism, principal) };
        Self { identity, facts, key_file: None }
    }

    /// By the word of whoever may vouch for this user.
    pub(in crate::core_server) fn vouched(permit: Permit<VouchFor>) -> Self {
        Self::named(Mechanism::Trusted, permit.into_action().0)
    }

    /// By being the account of this name.
    pub(in crate::core_server) fn own(permit: Permit<AccountOf>) -> Self {
        Self::named(Mechanism::Unix, permit.into_action().0)
    }

    fn named(mechanism: Mechanism, named: Named) -> Self {
        let (name, identity) = named.into_parts();
        Self { identity, facts: Facts::named(mechanism, name), key_file: None }
    }

    /// The file of the key that a certificate was shown for.
    pub(in crate::core_server) const fn key_file(&self) -> Option<&KeyFile> {
        self.key_file.as_ref()
    }

    /// Who it is, and what is known besides.
    pub(super) fn into_parts(self) -> (Identity, Facts) {
        (self.identity, self.facts)
    }
}

impl Facts {
    /// Of somebody who is known by a name alone.
    const fn named(mechanism: Mechanism, principal: String) -> Self {
        Self {
            mechanism,
            principal,
            typed: None,
            public_key: None,
            channel_bound: false,
            ends_at: None,
            groups: Vec::new(),
        }
    }

    fn proven(proof: Proof) -> Self {
        Self {
            channel_bound: proof.channel_bound,
            ends_at: proof.ends_at,
            groups: proof.groups,
            ..Self::named(proof.mechanism, proof.principal)
        }
    }
}

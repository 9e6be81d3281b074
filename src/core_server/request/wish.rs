//! From what a peer asks to an admission: who may open a session for whom.

use super::admit::{Admission, Facts, admit, impersonate};
use crate::clock::Timestamp;
use crate::core_server::password::Verified;
use crate::core_server::peer::keys::Holder;
use crate::core_server::peer::{Peer, Standing};
use crate::core_server::policy::{Ask, Policy, allowed};
use crate::identity::{self, Via, identify};
use crate::wire::mechanism::Evidence;
use crate::wire::{Account, Denied, Mechanism, OpenSession, Proof, Reason};

/// A well-formed wish for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Wish {
    /// Who wants it.
    claim: Claim,
    /// As whom they want to act, if as somebody else.
    pub(in crate::core_server) act_as: Option<String>,
    /// Whom the key of a certificate signs on.
    pub(in crate::core_server) holder: Option<Result<Holder, Reason>>,
}

/// Who somebody is, and by whose word.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Claim {
    /// For whom a front has proven.
    Proven(Proof),
    /// For whom a front has proven to hold this key.
    Certified(Proof, String),
    /// Who has the password.
    Verified(Verified),
    /// For whom the caller vouches.
    Trusted(String),
    /// For the caller itself, by this name.
    Own(String),
}

/// Why a wish is not fulfilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) enum Denial {
    /// The peer may not ask this.
    NoAccess(Ask),
    /// It may, but the one it names is not signed on.
    Refused(Reason),
    /// The same, with more to tell.
    Unidentified(Denied),
}

impl From<Denied> for Denial {
    fn from(refused: Denied) -> Self {
        Self::Unidentified(refused)
    }
}

impl Wish {
    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub(in crate::core_server) fn read(mut request: OpenSession) -> Result<Self, &'static str> {
        let act_as = request.act_as.take();
        let beyond = std::mem::take(&mut request.beyond);
        let claim = Claim::read(request)?;
        beyond.check(matches!(claim, Claim::Own(_)))?;
        if act_as.is_some() && matches!(claim, Claim::Certified(..)) {
            return Err("A certificate signs on its own user: do not send \"act_as\" with it.");
        }
        Ok(Self { claim, act_as, holder: None })
    }

    /// The key that a certificate was shown for, by its fingerprint.
    pub(in crate::core_server) fn key(&self) -> Option<&str> {
        match &self.claim {
            Claim::Certified(_, key) => Some(key),
            _ => None,
        }
    }

    /// The wish of somebody whose password was right.
    pub(in crate::core_server) const fn verified(
        verified: Verified,
        act_as: Option<String>,
    ) -> Self {
        Self { claim: Claim::Verified(verified), act_as, holder: None }
    }

    /// By what the session's owner would be known, and under which name.
    pub(in crate::core_server) fn claim(&self) -> (Mechanism, &str) {
        match &self.claim {
            Claim::Proven(proof) | Claim::Certified(proof, _) => {
                (proof.mechanism, &proof.principal)
            }
            Claim::Verified(verified) => verified.claim(),
            Claim::Trusted(name) => (Mechanism::Trusted, name),
            Claim::Own(name) => (Mechanism::Unix, name),
        }
    }
}

impl Claim {
    fn read(request: OpenSession) -> Result<Self, &'static str> {
        match request {
            OpenSession { password: Some(_), .. } => {
                Err("Send a password alone, to POST /v1/sessions.")
            }
            OpenSession { proof: Some(mut proof), user: None, trusted: false, .. } => {
                match (proof.mechanism.row().evidence, proof.public_key.take()) {
                    (Evidence::Key, Some(key)) => Ok(Self::Certified(proof, key)),
                    (Evidence::Principal | Evidence::WindowsAccount, None) => {
                        Ok(Self::Proven(proof))
                    }
                    (Evidence::Key, None)
                    | (Evidence::Principal | Evidence::WindowsAccount, Some(_))
                    | (Evidence::PasswordAtFront | Evidence::PasswordAtCore | Evidence::Peer, _) => {
                        Err("A proof needs one of these mechanisms: \"negotiate\", \"ntlm\", or \
                             \"certificate\" with its \"public_key\".")
                    }
                }
            }
            OpenSession { proof: None, user: Some(user), trusted: true, .. } => {
                Ok(Self::Trusted(user))
            }
            OpenSession { proof: None, user: Some(user), .. } => Ok(Self::Own(user)),
            _ => Err(
                "Send exactly one of these: \"proof\", or \"user\" (with \"trusted\": true if you \
                 vouch for somebody else).",
            ),
        }
    }

    const fn ask(&self) -> Ask {
        match self {
            Self::Proven(_) | Self::Certified(..) => Ask::OpenByProof,
            Self::Verified(_) => Ask::OpenByPassword,
            Self::Trusted(_) => Ask::OpenTrusted,
            Self::Own(_) => Ask::OpenOwn,
        }
    }
}

/// Decides on a wish. SYSTEM needs no password for anybody, so whomever it
/// names it vouches for. Who acts as somebody else must first be admitted.
///
/// # Errors
/// See [`Denial`].
pub(in crate::core_server) fn decide(
    peer: &Peer,
    wish: Wish,
    policy: &Policy,
    now: Timestamp,
) -> Result<Admission, Denial> {
    let admission = decide_claim(peer, wish.claim, wish.holder, policy, now)?;
    let Some(other) = wish.act_as else { return Ok(admission) };
    let other = identify(&other, Via::Trusted, &policy.identity).map_err(Denial::Refused)?;
    if peer.standing() == Standing::Service && !peer.vouches_for(&other) {
        return Err(Denial::Refused(Reason::PublicKeyScope));
    }
    let by_system = peer.standing() == Standing::System;
    impersonate(admission, &other, by_system).map_err(Denial::Refused)
}

fn decide_claim(
    peer: &Peer,
    claim: Claim,
    holder: Option<Result<Holder, Reason>>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Admission, Denial> {
    if !allowed(peer, claim.ask()) {
        return Err(Denial::NoAccess(claim.ask()));
    }
    let facts = match (claim, peer) {
        (Claim::Verified(verified), _) => {
            let (identity, facts) = verified.into_parts();
            return admit(&identity, facts, policy.lifetime, now).map_err(Denial::Refused);
        }
        (Claim::Proven(proof), _) => {
            let (account, acceptor_realm, facts) = proven(proof);
            let via = match facts.mechanism.row().evidence {
                Evidence::WindowsAccount => Via::Ntlm { own_domain: acceptor_realm.as_deref() },
                Evidence::Principal
                | Evidence::Key
                | Evidence::PasswordAtFront
                | Evidence::PasswordAtCore
                | Evidence::Peer => Via::Kerberos { acceptor_realm: acceptor_realm.as_deref() },
            };
            let (principal, rules) = (&facts.principal, &policy.identity);
            let identity = identity::verified(principal, account.as_deref(), via, rules)?;
            return admit(&identity, facts, policy.lifetime, now).map_err(Denial::Refused);
        }
        (Claim::Certified(proof, key), _) => {
            let holder = holder.unwrap_or(Err(Reason::PublicKeyNotListed));
            return certified(proof, key, holder, policy, now).map_err(Denial::Refused);
        }
        (Claim::Trusted(name), _) => Facts::named(Mechanism::Trusted, name),
        (Claim::Own(name), _) if peer.standing() == Standing::System => {
            Facts::named(Mechanism::Trusted, name)
        }
        (Claim::Own(name), Peer::Local { account: Some(account), .. }) if name == *account => {
            Facts::named(Mechanism::Unix, name)
        }
        (Claim::Own(_), Peer::Local { account: None, .. }) => {
            return Err(Denial::NoAccess(Ask::OpenOwn));
        }
        (Claim::Own(_), _) => return Err(Denial::Refused(Reason::NotPermitted)),
    };
    let identity =
        identify(&facts.principal, Via::Trusted, &policy.identity).map_err(Denial::Refused)?;
    if facts.mechanism == Mechanism::Trusted && !peer.vouches_for(&identity) {
        return Err(Denial::Refused(Reason::PublicKeyScope));
    }
    admit(&identity, facts, policy.lifetime, now).map_err(Denial::Refused)
}

/// The user is the one that the key's entry names; what the certificate says of
/// itself is only told.
fn certified(
    proof: Proof,
    key: String,
    holder: Result<Holder, Reason>,
    policy: &Policy,
    now: Timestamp,
) -> Result<Admission, Reason> {
    let holder = holder?;
    let identity = identify(holder.user.login(), Via::Trusted, &policy.identity)?;
    let ends_at = [proof.ends_at, holder.ends_at].into_iter().flatten().min();
    let (_, _, facts) = proven(Proof { groups: Vec::new(), ends_at, ..proof });
    admit(&identity, Facts { public_key: Some(key), ..facts }, policy.lifetime, now)
}

fn proven(proof: Proof) -> (Option<Box<Account>>, Option<String>, Facts) {
    let Proof { mechanism, principal, acceptor_realm, account, .. } = proof;
    let facts = Facts {
        channel_bound: proof.channel_bound,
        ends_at: proof.ends_at,
        groups: proof.groups,
        ..Facts::named(mechanism, principal)
    };
    (account, acceptor_realm, facts)
}

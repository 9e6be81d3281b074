//! From what a peer asks to an admission: who may open a session for whom.

use super::admit::{Admission, Facts, admit};
use super::peer::Peer;
use super::policy::{Ask, Policy, allowed};
use crate::clock::Timestamp;
use crate::identity::{Via, identify};
use crate::wire::{Mechanism, OpenSession, Proof, Reason};

/// A well-formed wish for a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// For whom a front has proven.
    Proven(Proof),
    /// For whom the caller vouches.
    Trusted(String),
    /// For the caller itself, by this name.
    Own(String),
}

/// Why a wish is not fulfilled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// The peer may not ask this.
    NoAccess,
    /// It may, but the one it names is not signed on.
    Refused(Reason),
}

impl Wish {
    /// Reads a request.
    ///
    /// # Errors
    /// What is wrong with it, in a sentence.
    pub(super) fn read(request: OpenSession) -> Result<Self, &'static str> {
        match request {
            OpenSession { password: Some(_), .. } => {
                Err("Password sign-on is not in this version of Doorward.")
            }
            OpenSession { proof: Some(proof), user: None, trusted: false, .. } => {
                if proof.mechanism.proves() {
                    Ok(Self::Proven(proof))
                } else {
                    Err("A proof is by a mechanism that proves: \"negotiate\" or \"ntlm\".")
                }
            }
            OpenSession { proof: None, user: Some(user), trusted: true, .. } => {
                Ok(Self::Trusted(user))
            }
            OpenSession { proof: None, user: Some(user), .. } => Ok(Self::Own(user)),
            _ => Err("Exactly one is asked for: \"proof\", or \"user\" (with \"trusted\": true \
                      when you vouch for somebody else)."),
        }
    }

    const fn ask(&self) -> Ask {
        match self {
            Self::Proven(_) => Ask::OpenByProof,
            Self::Trusted(_) => Ask::OpenTrusted,
            Self::Own(_) => Ask::OpenOwn,
        }
    }

    /// By what the session's owner would be known, and under which name.
    pub(super) fn claim(&self) -> (Mechanism, &str) {
        match self {
            Self::Proven(proof) => (proof.mechanism, &proof.principal),
            Self::Trusted(name) => (Mechanism::Trusted, name),
            Self::Own(name) => (Mechanism::Unix, name),
        }
    }
}

/// Decides on a wish. SYSTEM needs no password for anybody, so whomever it
/// names it vouches for.
///
/// # Errors
/// See [`Denial`].
pub(super) fn decide(
    peer: &Peer,
    wish: Wish,
    policy: &Policy,
    now: Timestamp,
) -> Result<Admission, Denial> {
    if !allowed(peer, wish.ask()) {
        return Err(Denial::NoAccess);
    }
    let (acceptor_realm, facts) = match (wish, peer) {
        (Wish::Proven(proof), _) => proven(proof),
        (Wish::Trusted(name), _) | (Wish::Own(name), Peer::System { .. }) => {
            (None, named(Mechanism::Trusted, name))
        }
        (Wish::Own(name), Peer::Local { account: Some(account), .. }) if name == *account => {
            (None, named(Mechanism::Unix, name))
        }
        (Wish::Own(_), _) => return Err(Denial::Refused(Reason::NotPermitted)),
    };
    let via = match facts.mechanism {
        Mechanism::Negotiate => Via::Kerberos { acceptor_realm: acceptor_realm.as_deref() },
        Mechanism::Ntlm => Via::Ntlm { own_domain: acceptor_realm.as_deref() },
        Mechanism::Trusted | Mechanism::Unix => Via::Trusted,
    };
    let identity = identify(&facts.principal, via, &policy.identity).map_err(Denial::Refused)?;
    admit(&identity, facts, policy.lifetime, now).map_err(Denial::Refused)
}

fn proven(proof: Proof) -> (Option<String>, Facts) {
    let Proof { mechanism, principal, acceptor_realm, channel_bound, ends_at, groups } = proof;
    (acceptor_realm, Facts { mechanism, principal, channel_bound, ends_at, groups })
}

fn named(mechanism: Mechanism, principal: String) -> Facts {
    Facts { mechanism, principal, channel_bound: false, ends_at: None, groups: Vec::new() }
}

//! `POST /v1/sessions`: who wants a session, and by whose word.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::{Password, Proof};
use crate::wire::{Fingerprint, SessionSecret};

mod fields;

pub(crate) use fields::{Fields, Mixed};

/// A request for a session. In JSON its parts are the fields of one object: see [`Fields`].
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "Fields<'static>")]
pub(crate) struct OpenSession {
    /// The client's network address, as the peer sees it.
    pub client: Option<IpAddr>,
    /// Who somebody is.
    pub claim: Claim,
}

/// Who somebody is, and by whose word.
#[derive(Clone, Debug)]
pub(crate) enum Claim {
    /// For whom a front has proven.
    Proof(ByProof),
    /// For whom a front has proven to hold this key.
    Certificate(ByCertificate),
    /// Who has the password.
    Password(ByPassword),
    /// For whom the caller vouches.
    Trusted(Trusted),
    /// For the caller itself.
    Own(Own),
}

/// By Kerberos or NTLM.
#[derive(Clone, Debug)]
pub(crate) struct ByProof {
    /// What was proven.
    pub proof: Proof,
    /// As whom the session shall be, if as somebody else: for administrators.
    pub act_as: Option<String>,
    /// The secret that the new session shall have: a front makes it of the cookie's
    /// secret and of the origin that the cookie is for. Without it the core makes one.
    pub secret: Option<SessionSecret>,
}

/// By certificate: its key signs on its own user, and nobody else.
#[derive(Clone, Debug)]
pub(crate) struct ByCertificate {
    /// What was proven. The key is not in it, but below.
    pub proof: Proof,
    /// The key of the certificate.
    pub public_key: Fingerprint,
    /// As in [`ByProof`].
    pub secret: Option<SessionSecret>,
}

/// By name and password.
#[derive(Clone, Debug)]
pub(crate) struct ByPassword {
    /// The name as it was typed.
    pub user: String,
    /// Whoever sends one has it checked, also a peer that needs none.
    pub password: Password,
    /// Where it was entered.
    pub entered: Entered,
    /// As in [`ByProof`].
    pub act_as: Option<String>,
}

/// Where a password was entered.
#[derive(Clone, Debug)]
pub(crate) enum Entered {
    /// At the peer, which asks for itself.
    Here,
    /// At a front, by HTTP Basic authentication; with the secret as in [`ByProof`].
    Basic(Option<SessionSecret>),
}

/// By the caller's word.
#[derive(Clone, Debug)]
pub(crate) struct Trusted {
    /// Whom it names.
    pub user: String,
    /// As in [`ByProof`].
    pub act_as: Option<String>,
}

/// By being the account of this name.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    /// The caller's own account.
    pub user: String,
    /// As in [`ByProof`].
    pub act_as: Option<String>,
}

impl OpenSession {
    /// For what a front has proven of a client.
    pub(crate) fn proven(mut proof: Proof, client: IpAddr, secret: SessionSecret) -> Self {
        let secret = Some(secret);
        let claim = match proof.public_key.take() {
            Some(public_key) => Claim::Certificate(ByCertificate { proof, public_key, secret }),
            None => Claim::Proof(ByProof { proof, act_as: None, secret }),
        };
        Self { client: Some(client), claim }
    }

    /// For a password that a client sent to a front.
    pub(crate) fn basic(
        user: String,
        password: Password,
        client: IpAddr,
        secret: SessionSecret,
    ) -> Self {
        let entered = Entered::Basic(Some(secret));
        let claim = Claim::Password(ByPassword { user, password, entered, act_as: None });
        Self { client: Some(client), claim }
    }
}

impl Serialize for OpenSession {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Fields::from(self).serialize(serializer)
    }
}

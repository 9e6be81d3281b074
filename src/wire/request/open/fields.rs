//! A request for a session as JSON: which fields go together.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::super::beyond::Beyond;
use super::{ByCertificate, ByPassword, ByProof, Claim, Entered, OpenSession, Own, Trusted};
use crate::wire::mechanism::Evidence;
use crate::wire::{Password, Proof, SessionSecret};

/// The fields of an [`OpenSession`], in whatever mix a peer sends them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Fields<'a> {
    /// What a front has proven.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    proof: Option<Cow<'a, Proof>>,
    /// Whom the caller names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Cow<'a, str>>,
    /// The caller vouches for `user`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    trusted: bool,
    /// The password of `user`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password: Option<Cow<'a, Password>>,
    /// The password came to a front by HTTP Basic authentication.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    basic: bool,
    /// As whom the session shall be, if as somebody else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    act_as: Option<Cow<'a, str>>,
    /// The client's network address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
    /// The secret that the new session shall have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<Cow<'a, SessionSecret>>,
    /// What a newer peer asks beyond.
    #[serde(flatten, skip_serializing)]
    beyond: Beyond,
}

/// Fields that do not go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{sentence}")]
pub(crate) struct Mixed {
    /// Which do.
    pub sentence: &'static str,
    /// Whether a secret is among them, which not everybody may propose.
    pub secret: bool,
}

impl TryFrom<Fields<'_>> for OpenSession {
    type Error = Mixed;

    fn try_from(fields: Fields<'_>) -> Result<Self, Mixed> {
        let Fields { proof, user, trusted, password, basic, act_as, client, secret, beyond } =
            fields;
        let (act_as, secret) = (act_as.map(Cow::into_owned), secret.map(Cow::into_owned));
        let with_secret = secret.is_some();
        let mixed = |sentence| Mixed { sentence, secret: with_secret };
        let fits = if password.is_some() { basic } else { proof.is_some() };
        if with_secret && !fits {
            return Err(mixed(WITH_SECRET));
        }
        let user = user.map(Cow::into_owned);
        let claim = match (proof, user, trusted, password) {
            (None, Some(user), false, Some(password)) => {
                let entered = if basic { Entered::Basic(secret) } else { Entered::Here };
                let password = password.into_owned();
                Claim::Password(ByPassword { user, password, entered, act_as })
            }
            (_, _, _, Some(_)) => return Err(mixed(WITH_PASSWORD)),
            (Some(proof), None, false, None) => {
                by_proof(proof.into_owned(), act_as, secret).map_err(mixed)?
            }
            (None, Some(user), true, None) => Claim::Trusted(Trusted { user, act_as }),
            (None, Some(user), false, None) => Claim::Own(Own { user, act_as }),
            _ => return Err(mixed(EXACTLY_ONE)),
        };
        beyond.check(matches!(claim, Claim::Own(_))).map_err(mixed)?;
        Ok(Self { client, claim })
    }
}

fn by_proof(
    mut proof: Proof,
    act_as: Option<String>,
    secret: Option<SessionSecret>,
) -> Result<Claim, &'static str> {
    match (proof.mechanism.row().evidence, proof.public_key.take(), act_as) {
        (Evidence::Key, Some(_), Some(_)) => Err(CERTIFICATE_ALONE),
        (Evidence::Key, Some(public_key), None) => {
            Ok(Claim::Certificate(ByCertificate { proof, public_key, secret }))
        }
        (Evidence::Principal | Evidence::WindowsAccount, None, act_as) => {
            Ok(Claim::Proof(ByProof { proof, act_as, secret }))
        }
        (Evidence::Key, None, _)
        | (Evidence::Principal | Evidence::WindowsAccount, Some(_), _)
        | (Evidence::PasswordAtFront | Evidence::PasswordAtCore | Evidence::Peer, ..) => {
            Err(NO_PROOF)
        }
    }
}

impl<'a> From<&'a OpenSession> for Fields<'a> {
    fn from(OpenSession { client, claim }: &'a OpenSession) -> Self {
        let of_client = Self { client: *client, ..Self::default() };
        let text = |text: &'a Option<String>| text.as_deref().map(Cow::Borrowed);
        match claim {
            Claim::Proof(ByProof { proof, act_as, secret }) => Self {
                proof: Some(Cow::Borrowed(proof)),
                act_as: text(act_as),
                secret: secret.as_ref().map(Cow::Borrowed),
                ..of_client
            },
            Claim::Certificate(ByCertificate { proof, public_key, secret }) => {
                let public_key = Some(*public_key);
                Self {
                    proof: Some(Cow::Owned(Proof { public_key, ..proof.clone() })),
                    secret: secret.as_ref().map(Cow::Borrowed),
                    ..of_client
                }
            }
            Claim::Password(ByPassword { user, password, entered, act_as }) => {
                let (basic, secret) = match entered {
                    Entered::Here => (false, None),
                    Entered::Basic(secret) => (true, secret.as_ref()),
                };
                Self {
                    user: Some(Cow::Borrowed(user)),
                    password: Some(Cow::Borrowed(password)),
                    basic,
                    act_as: text(act_as),
                    secret: secret.map(Cow::Borrowed),
                    ..of_client
                }
            }
            Claim::Trusted(Trusted { user, act_as }) => Self {
                user: Some(Cow::Borrowed(user)),
                trusted: true,
                act_as: text(act_as),
                ..of_client
            },
            Claim::Own(Own { user, act_as }) => {
                Self { user: Some(Cow::Borrowed(user)), act_as: text(act_as), ..of_client }
            }
        }
    }
}

const WITH_SECRET: &str = "A \"secret\" is allowed only with a \"proof\" or a \"basic\" password.";
const WITH_PASSWORD: &str =
    "With \"password\", send \"user\", and neither \"proof\" nor \"trusted\".";
const NO_PROOF: &str = "A proof needs one of these mechanisms: \"negotiate\", \"ntlm\", or \
                        \"certificate\" with its \"public_key\".";
const CERTIFICATE_ALONE: &str =
    "A certificate signs on its own user: do not send \"act_as\" with it.";
const EXACTLY_ONE: &str = "Send exactly one of these: \"proof\", or \"user\" (with \"trusted\": \
                           true if you vouch for somebody else).";

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::wire::Fingerprint;

    fn proof(mechanism: &str) -> Value {
        json!({"mechanism": mechanism, "principal": "john", "acceptor_realm": null,
            "channel_bound": false, "ends_at": null})
    }

    fn read(request: &Value) -> Result<OpenSession, Mixed> {
        let fields: Fields<'_> = serde_json::from_value(request.clone()).unwrap();
        OpenSession::try_from(fields)
    }

    #[test]
    fn a_request_is_written_as_it_was_read() {
        let secret = "x".repeat(43);
        let mut certificate = proof("certificate");
        certificate["public_key"] = json!(Fingerprint::of_spki(b"a key"));
        for request in [
            json!({"proof": proof("negotiate"), "client": "192.0.2.1", "secret": secret}),
            json!({"proof": proof("ntlm"), "act_as": "mary"}),
            json!({"proof": certificate, "secret": secret}),
            json!({"user": "john", "password": "secret"}),
            json!({"user": "john", "password": "secret", "basic": true, "secret": secret}),
            json!({"user": "john", "trusted": true, "act_as": "mary"}),
            json!({"user": "john"}),
        ] {
            let session = read(&request).unwrap();
            assert_eq!(serde_json::to_value(session).unwrap(), request);
        }
    }

    #[test]
    fn fields_that_do_not_go_together_are_said_to() {
        let (secret, negotiate) = ("x".repeat(43), proof("negotiate"));
        let mut keyed = proof("negotiate");
        keyed["public_key"] = json!(Fingerprint::of_spki(b"a key"));
        let mut certificate = proof("certificate");
        certificate["public_key"] = json!(Fingerprint::of_spki(b"a key"));
        for (request, sentence) in [
            (json!({}), EXACTLY_ONE),
            (json!({"trusted": true}), EXACTLY_ONE),
            (json!({"user": "john", "proof": negotiate}), EXACTLY_ONE),
            (json!({"trusted": true, "proof": negotiate}), EXACTLY_ONE),
            (json!({"password": "secret"}), WITH_PASSWORD),
            (json!({"user": "john", "password": "secret", "trusted": true}), WITH_PASSWORD),
            (json!({"user": "john", "password": "secret", "proof": negotiate}), WITH_PASSWORD),
            (json!({"user": "john", "password": "secret", "secret": secret}), WITH_SECRET),
            (json!({"user": "john", "trusted": true, "secret": secret}), WITH_SECRET),
            (json!({"user": "john", "basic": true, "secret": secret}), WITH_SECRET),
            (json!({"proof": proof("unix")}), NO_PROOF),
            (json!({"proof": proof("basic")}), NO_PROOF),
            (json!({"proof": proof("certificate")}), NO_PROOF),
            (json!({"proof": keyed}), NO_PROOF),
            (json!({"proof": certificate, "act_as": "mary"}), CERTIFICATE_ALONE),
        ] {
            let mixed = read(&request).unwrap_err();
            let secret = request.get("secret").is_some();
            assert_eq!(mixed, Mixed { sentence, secret }, "{request}");
        }
    }
}

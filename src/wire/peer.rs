//! Who a caller is to the core.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{KeyFile, Word};

/// `GET /v1/whoami`: which identity the core gives the caller.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whoami {
    /// By what the core knows it.
    pub peer: Word<PeerCredential>,
    /// The peer's uid, on the unix socket.
    pub uid: Option<u32>,
    /// The file in `sslkeys_path` that holds the peer's key.
    pub key: Option<KeyFile>,
    /// As whom it acts; `None`: as nobody.
    #[serde(rename = "as")]
    pub acting_as: Option<ActingAs>,
}

/// By what the core knows a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum PeerCredential {
    /// Its uid, on the unix socket.
    Unix,
    /// Its certificate.
    Certificate,
    /// Nothing: by TLS, without a certificate.
    Anonymous,
}

impl fmt::Display for PeerCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Unix => "unix",
            Self::Certificate => "certificate",
            Self::Anonymous => "anonymous",
        })
    }
}

/// As whom a peer acts: on the wire `SYSTEM`, `FRONT`, or names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActingAs {
    /// Everything, for everybody.
    System,
    /// Proves who is there.
    Front,
    /// Its own account, or those that its key may act as.
    Users(String),
}

impl ActingAs {
    /// Whether it may bring what it has proven of others.
    pub(crate) const fn is_front(&self) -> bool {
        match self {
            Self::System | Self::Front => true,
            Self::Users(_) => false,
        }
    }
}

impl fmt::Display for ActingAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::System => SYSTEM,
            Self::Front => FRONT,
            Self::Users(names) => names,
        })
    }
}

impl Serialize for ActingAs {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ActingAs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = String::deserialize(deserializer)?;
        Ok(match names.as_str() {
            SYSTEM => Self::System,
            FRONT => Self::Front,
            _ => Self::Users(names),
        })
    }
}

const SYSTEM: &str = "SYSTEM";
const FRONT: &str = "FRONT";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_whom_a_peer_acts_is_one_text_on_the_wire() {
        for (text, acting_as) in [
            ("SYSTEM", ActingAs::System),
            ("FRONT", ActingAs::Front),
            ("john, mary", ActingAs::Users("john, mary".to_owned())),
        ] {
            let wire = serde_json::to_string(&acting_as).unwrap();
            assert_eq!(wire, format!("\"{text}\""));
            assert_eq!(serde_json::from_str::<ActingAs>(&wire).unwrap(), acting_as);
        }
    }
}

//! A session's secret: whoever has it can use the session.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::key::{SessionKey, is_session_id};

/// 256 bits in base64url without padding. Never shown: debug output has its
/// [`SessionKey`], which is enough to follow a session.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct SessionSecret(String);

impl SessionSecret {
    /// The secret of these bits.
    pub(crate) fn from_bits(bits: &[u8; 32]) -> Self {
        Self(URL_SAFE_NO_PAD.encode(bits))
    }

    /// A text that can be a secret; `None` where it has another form.
    pub(crate) fn read(text: &str) -> Option<Self> {
        is_session_id(text).then(|| Self(text.to_owned()))
    }

    /// The secret itself, for the path of a request to the core.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// What identifies the session where its secret must not be.
    pub(crate) fn key(&self) -> SessionKey {
        SessionKey::of_secret(&self.0)
    }
}

impl TryFrom<String> for SessionSecret {
    type Error = OddSecret;

    fn try_from(text: String) -> Result<Self, OddSecret> {
        if is_session_id(&text) { Ok(Self(text)) } else { Err(OddSecret) }
    }
}

impl fmt::Debug for SessionSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.key().fmt(f)
    }
}

/// A text that is no secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session's secret has 43 characters of base64url")]
pub(crate) struct OddSecret;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_its_text_on_the_wire_and_its_key_in_debug_output() {
        let secret = SessionSecret::from_bits(&[7; 32]);
        let wire = serde_json::to_string(&secret).unwrap();
        assert_eq!(wire, format!("\"{}\"", secret.as_str()));
        assert_eq!(serde_json::from_str::<SessionSecret>(&wire).unwrap(), secret);
        assert_eq!(format!("{secret:?}"), secret.key().short());
        assert!(serde_json::from_str::<SessionSecret>("\"short\"").is_err());
        assert_eq!(SessionSecret::read(&"%".repeat(43)), None);
    }
}

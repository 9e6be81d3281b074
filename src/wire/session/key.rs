//! The session key, which identifies a session where its secret must not be.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// SHA-256 of a session's secret id, as ASCII text. Stores, caches, events and
/// the audit log hold this; nobody can sign on with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SessionKey([u8; 32]);

impl SessionKey {
    /// The key of the secret with this text: see [`SessionSecret::key`](super::SessionSecret::key).
    pub(super) fn of_secret(secret: &str) -> Self {
        let mut key = [0; 32];
        key.copy_from_slice(digest(&SHA256, secret.as_bytes()).as_ref());
        Self(key)
    }

    /// A key for tests that need no secret.
    #[cfg(test)]
    pub(crate) fn sample(name: &str) -> Self {
        Self::of_secret(name)
    }

    /// A key that was stored.
    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes to store.
    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first eight hex digits: enough to follow a session through the audit log.
    pub(crate) fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

/// All 64 hex digits, lower case, as events write it.
impl fmt::Display for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [0; 64];
        for (pair, byte) in text.chunks_exact_mut(2).zip(self.0) {
            pair[0] = HEX[usize::from(byte >> 4)];
            pair[1] = HEX[usize::from(byte & 15)];
        }
        f.write_str(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

/// Reads what [`fmt::Display`] writes.
impl FromStr for SessionKey {
    type Err = OddKey;

    fn from_str(hex: &str) -> Result<Self, OddKey> {
        let mut key = [0; 32];
        if hex.len() != 2 * key.len() {
            return Err(OddKey);
        }
        for (at, byte) in key.iter_mut().enumerate() {
            let digits = hex.get(2 * at..2 * at + 2).ok_or(OddKey)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| OddKey)?;
        }
        Ok(Self(key))
    }
}

/// A text that is no session key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session key has 64 hex digits")]
pub(crate) struct OddKey;

impl Serialize for SessionKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionKey {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

/// Whether `text` can be a session's secret id at all: 256 bits in base64url
/// without padding. What a client sent is asked this before it becomes part of a path.
pub(crate) fn is_session_id(text: &str) -> bool {
    text.len() == SESSION_ID_LENGTH
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

const HEX: &[u8; 16] = b"0123456789abcdef";
const SESSION_ID_LENGTH: usize = 43;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_sha256_of_the_text() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            SessionKey::of_secret("abc").to_string(),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(SessionKey::of_secret("abc").short(), "ba7816bf");
    }

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let key = SessionKey::of_secret("abc");
        let text = key.to_string();
        assert_eq!(text.parse(), Ok(key));
        assert_eq!(text[1..].parse::<SessionKey>(), Err(OddKey));
        assert_eq!("é".repeat(32).parse::<SessionKey>(), Err(OddKey));
    }

    #[test]
    fn only_43_characters_of_base64url_can_be_a_session_id() {
        let good = "AbC-_0".repeat(7) + "x";
        assert!(is_session_id(&good));
        for bad in ["", "abc", &good[1..], &format!("{good}x"), &good.replace('-', "/")] {
            assert!(!is_session_id(bad), "{bad}");
        }
        assert!(!is_session_id(&"é".repeat(43)));
    }
}

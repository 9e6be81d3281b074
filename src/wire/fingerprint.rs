//! The fingerprint of a public key, which identifies the key.

use std::fmt;
use std::str::FromStr;

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// SHA-256 of a SubjectPublicKeyInfo (RFC 5280 section 4.1). As text 32 pairs of
/// upper-case hex digits with colons between them, as OpenSSL writes it: `AB:CD:…`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a SubjectPublicKeyInfo in DER.
    pub(crate) fn of_spki(der: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest(&SHA256, der).as_ref());
        Self(hash)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = [b':'; LENGTH];
        for (place, byte) in text.chunks_mut(3).zip(self.0) {
            place[0] = HEX[usize::from(byte >> 4)];
            place[1] = HEX[usize::from(byte & 15)];
        }
        f.pad(str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Reads what [`fmt::Display`] writes, and no other form of it.
impl FromStr for Fingerprint {
    type Err = OddFingerprint;

    fn from_str(text: &str) -> Result<Self, OddFingerprint> {
        if text.len() != LENGTH {
            return Err(OddFingerprint);
        }
        let mut hash = [0; 32];
        for (byte, place) in hash.iter_mut().zip(text.as_bytes().chunks(3)) {
            *byte = match *place {
                [high, low] | [high, low, b':'] => digit(high)? << 4 | digit(low)?,
                _ => return Err(OddFingerprint),
            };
        }
        Ok(Self(hash))
    }
}

fn digit(letter: u8) -> Result<u8, OddFingerprint> {
    match letter {
        b'0'..=b'9' => Ok(letter - b'0'),
        b'A'..=b'F' => Ok(letter - b'A' + 10),
        _ => Err(OddFingerprint),
    }
}

/// A text that is no fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the fingerprint of a public key has 32 pairs of upper-case hex digits with colons between \
     them (AB:CD:...), as `doorward cert show` prints it"
)]
pub(crate) struct OddFingerprint;

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

const HEX: &[u8; 16] = b"0123456789ABCDEF";
/// Of the text: two digits for each byte, and the colons between them.
const LENGTH: usize = 3 * 32 - 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_the_sha256_as_openssl_writes_it() {
        // FIPS 180-2, appendix B.1.
        assert_eq!(
            Fingerprint::of_spki(b"abc").to_string(),
            "BA:78:16:BF:8F:01:CF:EA:41:41:40:DE:5D:AE:22:23:B0:03:61:A3:96:17:7A:9C:B4:10:FF:61:F2:00:15:AD"
        );
    }

    #[test]
    fn a_fingerprint_is_read_as_it_is_written_and_in_no_other_form() {
        let fingerprint = Fingerprint::of_spki(b"abc");
        let text = fingerprint.to_string();
        assert_eq!(text.parse(), Ok(fingerprint));
        let json = serde_json::to_string(&fingerprint).unwrap();
        assert_eq!(json, format!("\"{text}\""));
        assert_eq!(serde_json::from_str::<Fingerprint>(&json).unwrap(), fingerprint);
        for odd in [
            "",
            "AB:CD",
            &text[1..],
            &format!("{text}:"),
            &text.to_lowercase(),
            &text.replace(':', "-"),
            &text.replace(':', ""),
            &text.replacen("BA", "+A", 1),
            &text.replacen("BA", "é", 1),
        ] {
            assert_eq!(odd.parse::<Fingerprint>(), Err(OddFingerprint), "{odd}");
        }
    }
}

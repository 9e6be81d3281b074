//! `squid-2.5-ntlmssp`: a helper serves an exchange from its challenge to its verdict
//! (ntlm_auth(1)).
//!
//! ```text
//! SF NTLMSSP_FEATURE_SESSION_KEY  ──▶  OK                          once, after the start
//! YR base64(negotiate)            ──▶  TT base64(challenge)        forgets what was before
//! KK base64(authenticate)         ──▶  AF name │ NA status │ BH words
//! GK                              ──▶  GK base64(key) │ BH No session key
//! ```

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretBox, SecretSlice};

use super::{LONGEST_NAME, Unaskable, Unexpected, text};
use crate::mechanism::ntlm::crypto::SecretKey;

/// What a helper answers to `YR`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// Its challenge, an NTLM message.
    Challenge(Vec<u8>),
    /// It does not take the client's message.
    Refused {
        /// A status.
        said: String,
    },
    /// It could not do its work.
    Broken {
        /// Why, in its words.
        said: String,
    },
}

/// What a helper answers to `KK`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Signed on.
    Granted {
        /// The account, as winbind names it.
        name: String,
    },
    /// Not signed on.
    Refused {
        /// A status.
        said: String,
    },
    /// It could not judge.
    Broken {
        /// Why: a status, or words.
        said: String,
    },
}

/// Asks the helper to keep session keys.
pub(crate) const FEATURES: &[u8] = b"SF NTLMSSP_FEATURE_SESSION_KEY\n";

/// Asks for the session key of the exchange that was just granted.
pub(crate) const KEY: &[u8] = b"GK\n";

/// Begins an exchange with a client's NEGOTIATE_MESSAGE ([MS-NLMP] 2.2.1.1).
pub(crate) fn open(negotiate: &[u8]) -> Result<Vec<u8>, Unaskable> {
    message(b"YR ", negotiate, 1, 16)
}

/// Ends it with the client's AUTHENTICATE_MESSAGE ([MS-NLMP] 2.2.1.3).
pub(crate) fn close(authenticate: &[u8]) -> Result<Vec<u8>, Unaskable> {
    message(b"KK ", authenticate, 3, 64)
}

fn message(verb: &[u8], message: &[u8], kind: u8, least: usize) -> Result<Vec<u8>, Unaskable> {
    if !is_message(message, kind) || !(least..=MOST_MESSAGE).contains(&message.len()) {
        return Err(Unaskable::Message);
    }
    Ok([verb, STANDARD.encode(message).as_bytes(), b"\n"].concat())
}

/// Reads the answer to [`FEATURES`].
pub(crate) fn features(line: &[u8]) -> Result<(), Unexpected> {
    if line == b"OK" { Ok(()) } else { Err(Unexpected::new(line)) }
}

/// Reads the answer to [`open`].
pub(crate) fn opening(line: &[u8]) -> Result<Opening, Unexpected> {
    match line.split_at_checked(3) {
        Some((b"TT ", challenge)) => match STANDARD.decode(challenge) {
            Ok(message) if is_message(&message, 2) => Ok(Opening::Challenge(message)),
            _ => Err(Unexpected::new(line)),
        },
        Some((b"NA ", said)) => Ok(Opening::Refused { said: text(said) }),
        Some((b"BH ", said)) => Ok(Opening::Broken { said: text(said) }),
        _ => Err(Unexpected::new(line)),
    }
}

/// Reads the answer to [`close`].
pub(crate) fn verdict(line: &[u8]) -> Result<Verdict, Unexpected> {
    match line.split_at_checked(3) {
        Some((b"AF ", name)) => match std::str::from_utf8(name) {
            Ok(name) if is_name(name) => Ok(Verdict::Granted { name: name.to_owned() }),
            _ => Err(Unexpected::new(line)),
        },
        Some((b"NA ", said)) => Ok(Verdict::Refused { said: text(said) }),
        Some((b"BH ", said)) => Ok(Verdict::Broken { said: text(said) }),
        _ => Err(Unexpected::new(line)),
    }
}

/// Reads the answer to [`KEY`]: the exported session key, where there is one.
pub(crate) fn key(line: &[u8]) -> Result<Option<SecretKey>, Unexpected> {
    if line == b"BH No session key" {
        return Ok(None);
    }
    let key = line.strip_prefix(b"GK ").and_then(|key| STANDARD.decode(key).ok());
    // The line is a key, perhaps a damaged one: it is not shown.
    let key = key.map(SecretSlice::from);
    let key = key.and_then(|key| Some(*key.expose_secret().as_array::<16>()?));
    key.map(|key| Some(SecretBox::init_with(|| key)))
        .ok_or_else(|| Unexpected::new(b"something else than a session key"))
}

fn is_message(bytes: &[u8], kind: u8) -> bool {
    bytes.strip_prefix(b"NTLMSSP\0").is_some_and(|rest| rest.starts_with(&[kind, 0, 0, 0]))
}

/// Domain, separator and user, each of which may have that many characters.
fn is_name(name: &str) -> bool {
    !name.trim().is_empty()
        && name.chars().count() <= 2 * LONGEST_NAME + 1
        && !name.chars().any(char::is_control)
}

/// Far more than a client with many names needs; far less than the helper's own limit.
const MOST_MESSAGE: usize = 0xffff;

#[cfg(test)]
mod tests {
    use super::*;

    fn of_kind(kind: u8) -> Vec<u8> {
        [b"NTLMSSP\0", &[kind, 0, 0, 0][..], &[0xff; 60]].concat()
    }

    #[test]
    fn messages_are_encoded_anew() {
        let line = open(&of_kind(1)).unwrap();
        let text = line.strip_prefix(b"YR ").unwrap().strip_suffix(b"\n").unwrap();
        assert_eq!(STANDARD.decode(text).unwrap(), of_kind(1));
        let line = close(&of_kind(3)).unwrap();
        assert!(line.starts_with(b"KK TlRMTVNTUAADAAAA"));
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
    }

    #[test]
    fn a_message_of_another_kind_or_size_is_never_asked() {
        for kind in [0, 2, 3] {
            assert_eq!(open(&of_kind(kind)), Err(Unaskable::Message), "{kind}");
        }
        for kind in [0, 1, 2] {
            assert_eq!(close(&of_kind(kind)), Err(Unaskable::Message), "{kind}");
        }
        let mut long = of_kind(1);
        long.resize(0x1_0000, 0);
        for message in [&b""[..], b"NTLMSSP\0\x01\0\0\0", &long] {
            assert_eq!(open(message), Err(Unaskable::Message));
        }
        assert_eq!(close(&of_kind(3)[..63]), Err(Unaskable::Message));
    }

    #[test]
    fn the_answers_are_read() {
        let challenge = [b"TT ", STANDARD.encode(of_kind(2)).as_bytes()].concat();
        assert_eq!(opening(&challenge), Ok(Opening::Challenge(of_kind(2))));
        let said = "NT_STATUS_INVALID_PARAMETER".to_owned();
        assert_eq!(
            opening(b"NA NT_STATUS_INVALID_PARAMETER"),
            Ok(Opening::Refused { said: said.clone() })
        );
        assert_eq!(verdict(b"NA NT_STATUS_INVALID_PARAMETER"), Ok(Verdict::Refused { said }));
        assert_eq!(
            verdict("AF LAB\\jürgen".as_bytes()),
            Ok(Verdict::Granted { name: "LAB\\jürgen".to_owned() })
        );
        assert_eq!(verdict(b"BH words"), Ok(Verdict::Broken { said: "words".to_owned() }));
        assert_eq!(features(b"OK"), Ok(()));
        assert!(key(b"BH No session key").unwrap().is_none());
        let given = key(b"GK AAAAAAAAAAAAAAAAAAAAAA==").unwrap().unwrap();
        assert_eq!(*given.expose_secret(), [0; 16]);
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        let challenge = [b"TT ", STANDARD.encode(of_kind(2)).as_bytes()].concat();
        for line in [&b""[..], b"OK", b"AF", b"AF ", b"AF a\0b", b"AF \xff", b"AF  ", &challenge] {
            assert!(verdict(line).is_err(), "{line:?}");
        }
        for line in [&b""[..], b"TT", b"TT ", b"TT TlRM", b"TT !", b"AF LAB\\alice", b"OK"] {
            assert!(opening(line).is_err(), "{line:?}");
        }
        for line in [&b""[..], b"GK", b"GK ", b"GK AAAA", b"BH Else", b"OK"] {
            assert!(key(line).is_err(), "{line:?}");
        }
        assert!(features(b"OK ").is_err());
    }
}

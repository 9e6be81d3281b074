//! `ntlm-server-1`: one question verifies one finished exchange (ntlm_auth(1)).
//!
//! ```text
//! LANMAN-Challenge: 0123456789abcdef        Authenticated: Yes
//! NT-Response: 0a1b…                   ──▶  User-Session-Key: 0123…
//! Username:: YWxpY2U=                       .
//! NT-Domain:: TEFC
//! Request-User-Session-Key: Yes             Authenticated: No
//! .                                    ──▶  Authentication-Error: …
//!                                           .
//!                                           .      (Samba ends the error with a dot of its own)
//! ```

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::ExposeSecretMut as _;

use super::{Unaskable, Unexpected, check_name, text};
use crate::mechanism::ntlm::crypto::SecretKey;

/// What a client answered to a challenge of ours.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// Our challenge.
    pub challenge: [u8; 8],
    /// The client's whole NTLMv2 response, proof and all ([MS-NLMP] 2.2.2.8).
    pub nt_response: Vec<u8>,
    /// The user name in the client's message.
    pub user: String,
    /// The domain in the client's message; may be empty.
    pub domain: String,
}

/// What a helper answered.
#[derive(Debug)]
pub(crate) enum Answer {
    /// The response is right.
    Yes {
        /// The `User-Session-Key` ([MS-NLMP] 3.3.2 SessionBaseKey). An answer without
        /// one is not taken: nothing would show that it belongs to this exchange.
        session_key: SecretKey,
    },
    /// It is not, or could not be verified.
    No {
        /// The helper's words.
        said: String,
    },
}

impl Question {
    /// The bytes to write.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Unaskable> {
        if self.user.is_empty() {
            return Err(Unaskable::NoUser);
        }
        check_name("user name", &self.user)?;
        check_name("domain", &self.domain)?;
        if !RESPONSE_LENGTH.contains(&self.nt_response.len()) {
            return Err(Unaskable::ResponseLength(self.nt_response.len()));
        }
        let mut lines = format!(
            "LANMAN-Challenge: {}\nNT-Response: {}\nUsername:: {}\n",
            hex(&self.challenge),
            hex(&self.nt_response),
            STANDARD.encode(&self.user),
        );
        if !self.domain.is_empty() {
            lines += &format!("NT-Domain:: {}\n", STANDARD.encode(&self.domain));
        }
        lines += "Request-User-Session-Key: Yes\n.\n";
        Ok(lines.into_bytes())
    }
}

impl std::fmt::Debug for Question {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Question")
            .field("user", &self.user)
            .field("domain", &self.domain)
            .finish_non_exhaustive()
    }
}

/// Reads the lines of an answer before its dot.
pub(crate) fn answer(lines: &[impl AsRef<[u8]>]) -> Result<Answer, Unexpected> {
    let lines: Vec<&[u8]> = lines.iter().map(AsRef::as_ref).collect();
    match lines.as_slice() {
        [b"Authenticated: Yes", key] => {
            let key = key.strip_prefix(b"User-Session-Key: ").and_then(unhex);
            let key = key.ok_or_else(|| Unexpected::new(b"Authenticated: Yes, and an odd key"))?;
            Ok(Answer::Yes { session_key: key })
        }
        [b"Authenticated: No", error] => match error.strip_prefix(b"Authentication-Error: ") {
            Some(said) => Ok(Answer::No { said: text(said) }),
            None => Err(Unexpected::new(error)),
        },
        [] => Err(Unexpected::new(b".")),
        [first, ..] => Err(Unexpected::new(first)),
    }
}

/// The line that ends an answer, and once more a refusal.
pub(crate) const END: &[u8] = b".";

/// The lines of an answer, without its end.
pub(crate) const MOST_LINES: usize = 2;

/// A proof, the fixed part of the client's challenge, and a list of names; at
/// most what a message's 16-bit length can say.
const RESPONSE_LENGTH: std::ops::RangeInclusive<usize> = 44..=0xffff;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02X}");
        hex
    })
}

fn unhex(text: &[u8]) -> Option<SecretKey> {
    let mut key = SecretKey::default();
    let bytes = key.expose_secret_mut();
    if text.len() != 2 * bytes.len() {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        if !pair.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;

    fn question() -> Question {
        Question {
            challenge: [1, 2, 3, 4, 5, 6, 7, 0xff],
            nt_response: vec![0xab; 44],
            user: "jürgen".to_owned(),
            domain: "LAB".to_owned(),
        }
    }

    #[test]
    fn a_question_has_hexadecimal_numbers_and_names_in_base64() {
        let text = String::from_utf8(question().encode().unwrap()).unwrap();
        let response = "AB".repeat(44);
        assert_eq!(
            text,
            format!(
                "LANMAN-Challenge: 01020304050607FF\nNT-Response: {response}\n\
                 Username:: asO8cmdlbg==\nNT-Domain:: TEFC\nRequest-User-Session-Key: Yes\n.\n"
            )
        );
    }

    #[test]
    fn an_empty_domain_is_left_out() {
        let question = Question { domain: String::new(), ..question() };
        let text = String::from_utf8(question.encode().unwrap()).unwrap();
        assert!(!text.contains("NT-Domain"), "{text}");
    }

    #[test]
    fn what_the_helper_would_find_malformed_is_never_asked() {
        let names = ["a\nb", "a\0", "LAB\\a"];
        for name in names {
            let by_user = Question { user: name.to_owned(), ..question() };
            assert_eq!(by_user.encode(), Err(Unaskable::OddName("user name")), "{name:?}");
            let by_domain = Question { domain: name.to_owned(), ..question() };
            assert_eq!(by_domain.encode(), Err(Unaskable::OddName("domain")), "{name:?}");
        }
        let nobody = Question { user: String::new(), ..question() };
        assert_eq!(nobody.encode(), Err(Unaskable::NoUser));
        let long = Question { user: "x".repeat(257), ..question() };
        assert_eq!(long.encode(), Err(Unaskable::LongName("user name")));
        for length in [0, 23, 24, 43, 0x1_0000] {
            let short = Question { nt_response: vec![0; length], ..question() };
            assert_eq!(short.encode(), Err(Unaskable::ResponseLength(length)));
        }
    }

    #[test]
    fn the_two_answers_are_read() {
        let key = "User-Session-Key: 000102030405060708090A0B0C0D0E0F";
        let expected: [u8; 16] = std::array::from_fn(|i| u8::try_from(i).unwrap());
        match answer(&["Authenticated: Yes", key]) {
            Ok(Answer::Yes { session_key }) => assert_eq!(*session_key.expose_secret(), expected),
            other => panic!("{other:?}"),
        }
        match answer(&["Authenticated: No", "Authentication-Error: no \x1b[1msuch"]) {
            Ok(Answer::No { said }) => assert_eq!(said, "no [1msuch"),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn everything_else_is_no_answer() {
        let key = "User-Session-Key: 000102030405060708090A0B0C0D0E0F";
        let odd: [&[&str]; 13] = [
            &[],
            &["Authenticated: Yes"],
            &[""],
            &["."],
            &["Authenticated: yes"],
            &["Authenticated: Yes "],
            &[" Authenticated: Yes"],
            &["Authenticated: No"],
            &["Authenticated: Yes", "User-Session-Key: 0001"],
            &["Authenticated: Yes", "User-Session-Key: +00102030405060708090A0B0C0D0E0F"],
            &["Authenticated: Yes", key, key],
            &["Error: No password supplied!"],
            &["Authenticated: No", "Authenticated: Yes"],
        ];
        for lines in odd {
            assert!(answer(lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn keys_and_responses_are_not_shown() {
        let session_key = SecretKey::new(Box::new([0xab; 16]));
        let shown = format!("{:?} {:?}", question(), Answer::Yes { session_key });
        assert!(!shown.to_lowercase().contains("ab,") && !shown.contains("171"), "{shown}");
    }
}

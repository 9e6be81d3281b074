//! The three messages of NTLM (MS-NLMP 2.2.1): who speaks first says NEGOTIATE,
//! the server answers CHALLENGE, and the client ends with AUTHENTICATE.

mod authenticate;
pub(crate) mod av_pair;
mod challenge;
mod fields;
mod flags;
mod malformed;
mod negotiate;
pub(crate) mod response;
mod text;

pub(crate) use authenticate::Authenticate;
pub(crate) use challenge::{Challenge, ServerNames};
pub(crate) use flags::Flags;
pub(crate) use malformed::{Flaw, Malformed, Part};
pub(crate) use negotiate::Negotiate;

use fields::Fields;

/// Which message it is (MS-NLMP 2.2.1, MessageType).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The client's first: what it can do.
    Negotiate,
    /// The server's: eight random bytes, and who it is.
    Challenge,
    /// The client's second: who it is, and the response.
    Authenticate,
}

/// Tells which message the bytes begin.
///
/// # Errors
/// Bytes that are no NTLM message, of another type, or more than 64 KiB.
pub(crate) fn kind(bytes: &[u8]) -> Result<Kind, Malformed> {
    if bytes.len() > MAX_LENGTH {
        return Err(Malformed { part: Part::Message, flaw: Flaw::TooLong });
    }
    let fields = Fields::new(bytes, TYPE_END);
    if fields.array(Part::Signature, 0)? != *SIGNATURE {
        return Err(Malformed { part: Part::Signature, flaw: Flaw::Unexpected });
    }
    match fields.u32(Part::Type, SIGNATURE.len())? {
        1 => Ok(Kind::Negotiate),
        2 => Ok(Kind::Challenge),
        3 => Ok(Kind::Authenticate),
        _ => Err(WRONG_TYPE),
    }
}

/// Refuses every other message than the expected one.
fn expect(bytes: &[u8], expected: Kind) -> Result<(), Malformed> {
    if kind(bytes)? == expected { Ok(()) } else { Err(WRONG_TYPE) }
}

const WRONG_TYPE: Malformed = Malformed { part: Part::Type, flaw: Flaw::Unexpected };
const SIGNATURE: &[u8; 8] = b"NTLMSSP\0";
/// Where signature and type end and the rest begins.
const TYPE_END: usize = 12;
/// No message is longer: names and target information have 16-bit lengths, and
/// what a domain sends stays under 2 KiB.
const MAX_LENGTH: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mechanism::ntlm::samples::{self, bytes};

    #[test]
    fn the_type_of_real_messages_is_told() {
        for exchange in samples::exchanges() {
            assert_eq!(kind(&exchange.negotiate), Ok(Kind::Negotiate));
            assert_eq!(kind(&exchange.challenge), Ok(Kind::Challenge));
            assert_eq!(kind(&exchange.authenticate), Ok(Kind::Authenticate));
        }
    }

    #[test]
    fn what_is_no_ntlm_message_says_at_which_part() {
        let cases: [(&[u8], Part, Flaw); 6] = [
            (b"", Part::Signature, Flaw::CutOff),
            (b"NTLMSSP", Part::Signature, Flaw::CutOff),
            (b"NTLMSSP\x01\x01\0\0\0", Part::Signature, Flaw::Unexpected),
            (b"NTLMSSP\0\x01\0\0", Part::Type, Flaw::CutOff),
            (b"NTLMSSP\0\x04\0\0\0", Part::Type, Flaw::Unexpected),
            (b"NTLMSSP\0\x01\0\0\x01", Part::Type, Flaw::Unexpected),
        ];
        for (message, part, flaw) in cases {
            assert_eq!(kind(message), Err(Malformed { part, flaw }), "{message:?}");
        }
    }

    #[test]
    fn more_than_64_kib_is_not_looked_at() {
        let mut message = bytes(samples::BOUND_AUTHENTICATE);
        message.resize(MAX_LENGTH, 0);
        assert!(Authenticate::parse(message.clone()).is_ok());
        message.push(0);
        let too_long = Malformed { part: Part::Message, flaw: Flaw::TooLong };
        assert_eq!(Authenticate::parse(message).unwrap_err(), too_long);
    }

    #[test]
    fn one_message_is_not_taken_for_another() {
        for exchange in samples::exchanges() {
            assert_eq!(Negotiate::parse(exchange.challenge.clone()).unwrap_err(), WRONG_TYPE);
            assert_eq!(Negotiate::parse(exchange.authenticate.clone()).unwrap_err(), WRONG_TYPE);
            assert_eq!(Challenge::parse(exchange.negotiate.clone()).unwrap_err(), WRONG_TYPE);
            assert_eq!(Challenge::parse(exchange.authenticate).unwrap_err(), WRONG_TYPE);
            assert_eq!(Authenticate::parse(exchange.negotiate).unwrap_err(), WRONG_TYPE);
            assert_eq!(Authenticate::parse(exchange.challenge).unwrap_err(), WRONG_TYPE);
        }
    }

    #[test]
    fn debug_output_shows_no_secret() {
        for exchange in samples::exchanges() {
            let authenticate = Authenticate::parse(exchange.authenticate).unwrap();
            let shown = format!("{authenticate:?}").replace([' ', '\n'], "");
            assert!(shown.contains(&authenticate.user), "{shown}");
            let secrets = [
                authenticate.encrypted_random_session_key.map(|key| format!("{key:?}")),
                authenticate.mic().map(|mic| format!("{:?}", mic.code)),
                authenticate.response.ntlmv2().map(|response| format!("{:?}", response.proof)),
            ];
            for secret in secrets.into_iter().flatten() {
                let secret = secret.replace(' ', "");
                assert!(!shown.contains(secret.trim_matches(['[', ']'])), "{shown}");
            }
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(
            kind in 0_u8..5,
            rest in proptest::collection::vec(any::<u8>(), 0..400),
        ) {
            parse_all(&[SIGNATURE.as_slice(), &[kind, 0, 0, 0], &rest].concat());
            parse_all(&rest);
        }

        #[test]
        fn no_damage_makes_it_panic(
            which in any::<prop::sample::Index>(),
            damage in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
            end in any::<prop::sample::Index>(),
        ) {
            let exchanges = samples::exchanges();
            let exchange = &exchanges[which.index(exchanges.len())];
            for message in [&exchange.negotiate, &exchange.challenge, &exchange.authenticate] {
                let mut damaged = message.clone();
                for (place, value) in &damage {
                    let place = place.index(damaged.len());
                    damaged[place] = *value;
                }
                parse_all(&damaged);
                parse_all(&damaged[..end.index(damaged.len())]);
            }
        }
    }

    fn parse_all(bytes: &[u8]) {
        let _ = kind(bytes);
        let _ = Negotiate::parse(bytes.to_vec());
        let _ = Challenge::parse(bytes.to_vec());
        let _ = Authenticate::parse(bytes.to_vec());
    }
}

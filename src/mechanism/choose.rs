//! Which header, which token, which mechanism.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::Scheme;
use super::basic::{self, NamePassword};
use crate::wire::mechanism::Credentials;
use crate::wire::{Mechanism, Reason};

/// An `Authorization` value longer than this is refused. A user in a thousand
/// groups sends about 17 KB; Windows stops at 64 KB of token.
pub(crate) const MAX_HEADER_VALUE: usize = 128 * 1024;

/// What the `Authorization` headers of a request amount to.
#[derive(Clone, Debug)]
pub(crate) enum Choice {
    /// Nothing that concerns us: offer the mechanisms.
    Absent(Reason),
    /// A token, out of its base64.
    Token(Scheme, Vec<u8>),
    /// Name and password.
    Basic(NamePassword),
    /// An attempt that cannot stand.
    Refused(Mechanism, Reason),
}

/// Reads the values of all `Authorization` headers of one request. More than
/// one is refused outright, since a program behind us might read the other one.
pub(crate) fn choose<'a>(
    authorization: impl IntoIterator<Item = &'a [u8]>,
    offers: impl Fn(Mechanism) -> bool,
) -> Choice {
    let mut values = authorization.into_iter();
    let Some(value) = values.next() else {
        return Choice::Absent(Reason::NoCredentials);
    };
    let (word, token) = split(value);
    let known = Mechanism::ALL.iter().find_map(|mechanism| {
        let credentials = mechanism.row().credentials?;
        word.eq_ignore_ascii_case(credentials.word().as_bytes())
            .then_some((*mechanism, credentials))
    });
    let mechanism = known.map_or(Mechanism::Negotiate, |(mechanism, _)| mechanism);
    let refused = |reason| Choice::Refused(mechanism, reason);
    if values.next().is_some() {
        return refused(Reason::ManyAuthorizations);
    }
    if value.len() > MAX_HEADER_VALUE {
        return refused(Reason::TokenTooLarge);
    }
    match known {
        Some((Mechanism::Ntlm, _)) if !offers(Mechanism::Ntlm) => refused(Reason::NtlmSent),
        Some((mechanism, credentials)) if offers(mechanism) => match credentials {
            Credentials::Password => basic::read(token).map_or_else(refused, Choice::Basic),
            Credentials::Token(_) if token.is_empty() => refused(Reason::EmptyToken),
            Credentials::Token(scheme) => match STANDARD.decode(token) {
                Ok(token) => Choice::Token(scheme, token),
                Err(_) => refused(Reason::BadBase64),
            },
        },
        Some(_) | None => Choice::Absent(Reason::UnknownScheme),
    }
}

/// Scheme and credentials (RFC 9110 section 11.4).
fn split(value: &[u8]) -> (&[u8], &[u8]) {
    let value = value.trim_ascii();
    let end = value.iter().position(|byte| *byte == b' ').unwrap_or(value.len());
    let (scheme, rest) = value.split_at(end);
    (scheme, rest.trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Here alone: a password is compared with nothing.
    impl PartialEq for Choice {
        fn eq(&self, other: &Self) -> bool {
            match (self, other) {
                (Self::Absent(one), Self::Absent(other)) => one == other,
                (Self::Token(one, bytes), Self::Token(other, others)) => {
                    (one, bytes) == (other, others)
                }
                (Self::Refused(one, why), Self::Refused(other, reason)) => {
                    (one, why) == (other, reason)
                }
                _ => false,
            }
        }
    }

    fn kerberos_only(mechanism: Mechanism) -> bool {
        mechanism == Mechanism::Negotiate
    }

    fn one(value: &str) -> Choice {
        choose([value.as_bytes()], kerberos_only)
    }

    fn negotiate(token: &[u8]) -> Choice {
        Choice::Token(Scheme::Negotiate, token.to_vec())
    }

    fn refused(reason: Reason) -> Choice {
        Choice::Refused(Mechanism::Negotiate, reason)
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for scheme in ["Negotiate", "negotiate", "NEGOTIATE", "nEgOtIaTe"] {
            assert_eq!(one(&format!("{scheme} YWJj")), negotiate(b"abc"));
        }
    }

    #[test]
    fn blanks_around_the_token_do_not_matter() {
        assert_eq!(one("  Negotiate   YWJj  "), negotiate(b"abc"));
    }

    #[test]
    fn no_header_is_no_credentials() {
        let none: [&[u8]; 0] = [];
        assert_eq!(choose(none, kerberos_only), Choice::Absent(Reason::NoCredentials));
    }

    #[test]
    fn two_headers_are_refused_even_when_they_are_the_same() {
        let value: &[u8] = b"Negotiate YWJj";
        assert_eq!(choose([value, value], kerberos_only), refused(Reason::ManyAuthorizations));
    }

    #[test]
    fn a_scheme_without_token_is_an_empty_token() {
        for value in ["Negotiate", "Negotiate ", "negotiate    "] {
            assert_eq!(one(value), refused(Reason::EmptyToken), "{value:?}");
        }
    }

    #[test]
    fn base64_is_strict() {
        for token in [
            "YWJ",
            "YWI",
            "YWJj=",
            "YWJj====",
            "YW Jj",
            "YW\tJj",
            "YWJj,",
            "YWJj\0",
            "YWJ-",
            "YWJj, Basic YWJj",
            "YWK=",
            "*",
        ] {
            let value = format!("Negotiate {token}");
            assert_eq!(one(&value), refused(Reason::BadBase64), "{token:?}");
        }
    }

    #[test]
    fn a_value_of_the_greatest_length_is_taken_and_a_longer_one_is_not() {
        let prefix = "Negotiate ";
        let room = (MAX_HEADER_VALUE - prefix.len()) / 4 * 4;
        let largest = format!("{prefix}{}", "A".repeat(room));
        assert!(matches!(one(&largest), Choice::Token(_, token) if token.len() == room / 4 * 3));
        let longer = format!("{prefix}{}", "A".repeat(MAX_HEADER_VALUE));
        assert_eq!(one(&longer), refused(Reason::TokenTooLarge));
    }

    #[test]
    fn ntlm_is_taken_by_its_own_scheme_where_it_is_offered() {
        for value in ["NTLM YWJj", "ntlm YWJj"] {
            let choice = choose([value.as_bytes()], |mechanism| mechanism == Mechanism::Ntlm);
            assert_eq!(choice, Choice::Token(Scheme::Ntlm, b"abc".to_vec()));
        }
        assert_eq!(one("NTLM TlRMTVNTUAAB"), Choice::Refused(Mechanism::Ntlm, Reason::NtlmSent));
    }

    #[test]
    fn name_and_password_are_read_where_they_are_offered() {
        let choose = |value: &str| choose([value.as_bytes()], |by| by == Mechanism::Basic);
        let read = choose("bAsIc YTpi");
        assert!(matches!(&read, Choice::Basic(said) if said.user == "a"), "{read:?}");
        let bad = Choice::Refused(Mechanism::Basic, Reason::BadBasic);
        assert_eq!(choose("Basic YTp"), bad);
        assert_eq!(choose("Negotiate YWJj"), Choice::Absent(Reason::UnknownScheme));
    }

    #[test]
    fn other_schemes_count_as_no_credentials() {
        for value in ["Basic YTpi", "Bearer x.y.z", "", "   ", "Negotiated YWJj", "Negotiate\tYWJj"]
        {
            assert_eq!(one(value), Choice::Absent(Reason::UnknownScheme), "{value:?}");
        }
    }

    #[test]
    fn what_is_not_offered_is_not_looked_at() {
        let value: &[u8] = b"Negotiate YWJj";
        assert_eq!(choose([value], |_| false), Choice::Absent(Reason::UnknownScheme));
    }
}

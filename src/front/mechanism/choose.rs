//! Which header, which token, which mechanism.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::wire::{Mechanism, Reason};

/// An `Authorization` value longer than this is refused. A user in a thousand
/// groups sends about 17 KB; Windows stops at 64 KB of token.
pub const MAX_HEADER_VALUE: usize = 128 * 1024;

/// What the `Authorization` headers of a request amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Choice {
    /// Nothing that concerns us: offer the mechanisms.
    Absent(Reason),
    /// A Negotiate token (RFC 4559), out of its base64.
    Negotiate(Vec<u8>),
    /// An attempt that cannot stand.
    Refused(Reason),
}

/// Reads the values of all `Authorization` headers of one request. More than
/// one is refused outright, since a program behind us might read the other one.
pub fn choose<'a>(
    authorization: impl IntoIterator<Item = &'a [u8]>,
    offered: &[Mechanism],
) -> Choice {
    let mut values = authorization.into_iter();
    let Some(value) = values.next() else {
        return Choice::Absent(Reason::NoCredentials);
    };
    if values.next().is_some() {
        return Choice::Refused(Reason::ManyAuthorizations);
    }
    if value.len() > MAX_HEADER_VALUE {
        return Choice::Refused(Reason::TokenTooLarge);
    }
    let (scheme, token) = split(value);
    if scheme.eq_ignore_ascii_case(b"negotiate") && offered.contains(&Mechanism::Negotiate) {
        return negotiate(token);
    }
    if scheme.eq_ignore_ascii_case(b"ntlm") {
        return Choice::Refused(Reason::NtlmSent);
    }
    Choice::Absent(Reason::UnknownScheme)
}

fn negotiate(token: &[u8]) -> Choice {
    if token.is_empty() {
        return Choice::Refused(Reason::EmptyToken);
    }
    match STANDARD.decode(token) {
        Ok(token) => Choice::Negotiate(token),
        Err(_) => Choice::Refused(Reason::BadBase64),
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

    const OFFERED: &[Mechanism] = &[Mechanism::Negotiate];

    fn one(value: &str) -> Choice {
        choose([value.as_bytes()], OFFERED)
    }

    #[test]
    fn the_scheme_is_read_in_any_case() {
        for scheme in ["Negotiate", "negotiate", "NEGOTIATE", "nEgOtIaTe"] {
            assert_eq!(one(&format!("{scheme} YWJj")), Choice::Negotiate(b"abc".to_vec()));
        }
    }

    #[test]
    fn blanks_around_the_token_do_not_matter() {
        assert_eq!(one("  Negotiate   YWJj  "), Choice::Negotiate(b"abc".to_vec()));
    }

    #[test]
    fn no_header_is_no_credentials() {
        let none: [&[u8]; 0] = [];
        assert_eq!(choose(none, OFFERED), Choice::Absent(Reason::NoCredentials));
    }

    #[test]
    fn two_headers_are_refused_even_when_they_are_the_same() {
        let value: &[u8] = b"Negotiate YWJj";
        assert_eq!(choose([value, value], OFFERED), Choice::Refused(Reason::ManyAuthorizations));
    }

    #[test]
    fn a_scheme_without_token_is_an_empty_token() {
        for value in ["Negotiate", "Negotiate ", "negotiate    "] {
            assert_eq!(one(value), Choice::Refused(Reason::EmptyToken), "{value:?}");
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
            assert_eq!(one(&value), Choice::Refused(Reason::BadBase64), "{token:?}");
        }
    }

    #[test]
    fn a_value_of_the_greatest_length_is_taken_and_a_longer_one_is_not() {
        let prefix = "Negotiate ";
        let room = (MAX_HEADER_VALUE - prefix.len()) / 4 * 4;
        let largest = format!("{prefix}{}", "A".repeat(room));
        assert!(matches!(one(&largest), Choice::Negotiate(token) if token.len() == room / 4 * 3));
        let longer = format!("{prefix}{}", "A".repeat(MAX_HEADER_VALUE));
        assert_eq!(one(&longer), Choice::Refused(Reason::TokenTooLarge));
    }

    #[test]
    fn ntlm_by_its_own_scheme_is_named() {
        assert_eq!(one("NTLM TlRMTVNTUAAB"), Choice::Refused(Reason::NtlmSent));
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
        assert_eq!(choose([value], &[]), Choice::Absent(Reason::UnknownScheme));
    }
}

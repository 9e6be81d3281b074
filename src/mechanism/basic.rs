//! Name and password in one header (RFC 7617). Nothing is proven here: the core checks both.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use unicode_normalization::UnicodeNormalization;

use crate::wire::{Password, Reason};

/// What a client says of itself.
#[derive(Clone, Debug)]
pub(crate) struct NamePassword {
    /// The name, as typed.
    pub user: String,
    /// The password, as typed.
    pub password: Password,
}

/// Reads what stands behind `Basic`: base64 of name, colon and password, in
/// UTF-8, as the challenge asks for. Programs that know no charset send what
/// their system speaks, in the west windows-1252, of which Latin-1 is a part: so
/// what is no UTF-8 is read as that. Composed characters are composed, as a
/// keyboard gives them (RFC 8265). Only the first colon parts.
///
/// # Errors
/// [`Reason::BadBasic`].
pub(super) fn read(token: &[u8]) -> Result<NamePassword, Reason> {
    let bytes = STANDARD.decode(token).map_err(|_| Reason::BadBasic)?;
    let bytes = SecretSlice::from(bytes);
    let bytes = bytes.expose_secret();
    let text = SecretString::from(match str::from_utf8(bytes) {
        Ok(text) => text.nfc().collect::<String>(),
        Err(_) => bytes.iter().map(|byte| windows_1252(*byte)).collect(),
    });
    let (user, password) = text.expose_secret().split_once(':').ok_or(Reason::BadBasic)?;
    Ok(NamePassword { user: user.to_owned(), password: Password::new(password.into()) })
}

/// A character of windows-1252; what it leaves undefined is a control of Latin-1.
fn windows_1252(byte: u8) -> char {
    const FROM_80_TO_9F: [char; 32] = [
        '\u{20ac}', '\u{81}', '\u{201a}', '\u{192}', '\u{201e}', '\u{2026}', '\u{2020}',
        '\u{2021}', '\u{2c6}', '\u{2030}', '\u{160}', '\u{2039}', '\u{152}', '\u{8d}', '\u{17d}',
        '\u{8f}', '\u{90}', '\u{2018}', '\u{2019}', '\u{201c}', '\u{201d}', '\u{2022}', '\u{2013}',
        '\u{2014}', '\u{2dc}', '\u{2122}', '\u{161}', '\u{203a}', '\u{153}', '\u{9d}', '\u{17e}',
        '\u{178}',
    ];
    match byte.checked_sub(0x80).and_then(|at| FROM_80_TO_9F.get(usize::from(at))) {
        Some(character) => *character,
        None => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(token: &str) -> Result<(String, String), Reason> {
        read(token.as_bytes()).map(|said| (said.user, said.password.expose_secret().to_owned()))
    }

    #[test]
    fn name_and_password_are_parted_by_the_first_colon() {
        // RFC 7617, sections 2 and 2.1.
        let read = |token: &str| parts(token).unwrap();
        let pair = |user: &str, password: &str| (user.to_owned(), password.to_owned());
        assert_eq!(read("QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), pair("Aladdin", "open sesame"));
        assert_eq!(read("dGVzdDoxMjPCow=="), pair("test", "123£"));
        assert_eq!(read(&STANDARD.encode("a:b:c")), pair("a", "b:c"));
        assert_eq!(read(&STANDARD.encode(":")), pair("", ""));
    }

    #[test]
    fn every_charset_that_programs_send_is_read() {
        let expected = ("j\u{fc}rgen".to_owned(), "stra\u{df}e 5\u{20ac}".to_owned());
        for sent in [
            "j\u{fc}rgen:stra\u{df}e 5\u{20ac}".as_bytes(),
            "ju\u{308}rgen:stra\u{df}e 5\u{20ac}".as_bytes(),
            b"j\xfcrgen:stra\xdfe 5\x80",
        ] {
            assert_eq!(parts(&STANDARD.encode(sent)), Ok(expected.clone()), "{sent:?}");
        }
    }

    #[test]
    fn what_is_not_such_a_pair_is_named() {
        for token in ["", "*", "QWxhZGRpbg=="] {
            assert_eq!(parts(token), Err(Reason::BadBasic), "{token}");
        }
    }
}

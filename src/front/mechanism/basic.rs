//! Name and password in one header (RFC 7617). Nothing is proven here: the core
//! has both judged.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use crate::wire::{Password, Reason};

/// What a client says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// The name, as typed.
    pub user: String,
    /// The password, as typed.
    pub password: Password,
}

/// Reads what stands behind `Basic`: base64 of name, colon and password, in
/// UTF-8. Only the first colon parts.
///
/// # Errors
/// [`Reason::BadBasic`].
pub(super) fn read(token: &[u8]) -> Result<Credentials, Reason> {
    let bytes = STANDARD.decode(token).map(Zeroizing::new).map_err(|_| Reason::BadBasic)?;
    let text = str::from_utf8(&bytes).map_err(|_| Reason::BadBasic)?;
    let (user, password) = text.split_once(':').ok_or(Reason::BadBasic)?;
    let password = Password::new(Zeroizing::new(password.to_owned()));
    Ok(Credentials { user: user.to_owned(), password })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(token: &str) -> Result<(String, String), Reason> {
        read(token.as_bytes()).map(|said| (said.user, said.password.reveal().to_owned()))
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
    fn what_is_not_such_a_pair_is_named() {
        let latin = STANDARD.encode(b"j\xfcrgen:x");
        for token in ["", "*", "QWxhZGRpbg==", latin.as_str()] {
            assert_eq!(parts(token), Err(Reason::BadBasic), "{token}");
        }
    }
}

//! The canonical form of a login name, and what no login name may be.
//!
//! Whatever compares, counts or stores logins uses this one form, so `John`,
//! `JOHN@REALM` and `DOMAIN\john` share one account and one lock-out counter.

use crate::wire::Reason;

/// Makes the canonical form of a name without realm, or says why it is none.
pub(super) fn canonical(user: &str, case_sensitive: bool) -> Result<String, Reason> {
    if user.chars().any(is_refused) || user.starts_with(' ') || user.ends_with(' ') {
        return Err(Reason::OddPrincipal);
    }
    let login = if case_sensitive { user.to_owned() } else { lower(user) };
    check_length(&login)?;
    if RESERVED.iter().any(|reserved| login.eq_ignore_ascii_case(reserved)) {
        return Err(Reason::ReservedName);
    }
    Ok(login)
}

/// Refuses a login that is empty or longer than [`LONGEST`].
pub(super) fn check_length(login: &str) -> Result<(), Reason> {
    if login.is_empty() || login.len() > LONGEST { Err(Reason::OddPrincipal) } else { Ok(()) }
}

/// Lower case, letter by letter: the form of a letter must not depend on its
/// neighbours, as that of the Greek final sigma does in `str::to_lowercase`.
pub(super) fn lower(text: &str) -> String {
    text.chars().flat_map(char::to_lowercase).collect()
}

/// Characters that part names, break lines, cannot be seen, or have another
/// spelling that looks the same.
fn is_refused(character: char) -> bool {
    match character {
        '@' | '\\' | '/' | ',' => true,
        ' ' => false,
        other if other.is_control() || other.is_whitespace() => true,
        // Invisible: soft hyphen, Arabic letter mark, zero widths, directions, tags.
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        // Not composed (Unicode NFC): combining accents, and the signs for ohm,
        // kelvin and angstrom. The kelvin sign would become an ordinary `k`.
        '\u{300}'..='\u{36f}' | '\u{2126}' | '\u{212a}' | '\u{212b}' => true,
        // Its lower case is an ordinary `i` and a combining dot.
        '\u{130}' => true,
        // Undecodable bytes end up as this.
        char::REPLACEMENT_CHARACTER => true,
        _ => false,
    }
}

/// Bytes of the longest login name.
const LONGEST: usize = 256;

/// Names that mean the system itself, and everybody, in ZCP's address book.
const RESERVED: [&str; 2] = ["system", "everyone"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_name_is_256_bytes_in_canonical_form() {
        assert_eq!(canonical(&"a".repeat(256), false).map(|login| login.len()), Ok(256));
        assert_eq!(canonical(&"a".repeat(257), false), Err(Reason::OddPrincipal));
        // U+023A is two bytes, and its lower case is three.
        assert_eq!(canonical(&"\u{23a}".repeat(128), false), Err(Reason::OddPrincipal));
    }

    #[test]
    fn lower_case_never_makes_one_ascii_letter_out_of_another_character() {
        for character in ('\u{80}'..=char::MAX).filter(|character| !is_refused(*character)) {
            let login = lower(&character.to_string());
            assert!(!login.bytes().any(|byte| byte.is_ascii()), "U+{:04X}", u32::from(character));
        }
    }
}

//! The canonical form of a login name, and what no login name may be.
//!
//! Whatever compares, counts or stores logins uses this one form, so `John`,
//! `JOHN@REALM` and `DOMAIN\john` share one account and one lock-out counter.

use unicode_normalization::is_nfc;

use crate::wire::{LoginId, Reason};

/// Makes the canonical form of a name without realm, or says why it is none.
pub(super) fn canonical(user: &str, case_sensitive: bool) -> Result<String, Reason> {
    let parts_names = |character| matches!(character, '@' | '\\' | '/' | ',');
    if is_odd(user) || user.contains(parts_names) || user.starts_with(' ') || user.ends_with(' ') {
        return Err(Reason::OddPrincipal);
    }
    let login = if case_sensitive { user.to_owned() } else { lower(user) };
    if !is_nfc(&login) {
        return Err(Reason::OddPrincipal);
    }
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

/// Whether two names are one but for case. A name with odd characters is only itself.
pub(super) fn same_name(one: &str, other: &str) -> bool {
    one == other || !is_odd(one) && !is_odd(other) && lower(one) == lower(other)
}

/// Whether what an administrator wrote is this login: the name without case,
/// unless case counts in some realm, and the realm or domain always without. A name
/// is written without a tenant, so it means nobody who is of one.
pub(crate) fn is_login(written: &str, who: &LoginId, case_sensitive: bool) -> bool {
    who.company().is_empty() && is_name(written, who.login(), case_sensitive)
}

fn is_name(written: &str, login: &str, case_sensitive: bool) -> bool {
    let same = |one: &str, other: &str| match case_sensitive {
        true => one == other,
        false => same_name(one, other),
    };
    match (written.rsplit_once('@'), login.rsplit_once('@')) {
        (Some((written, place)), Some((login, home))) => {
            return same(written, login) && place.eq_ignore_ascii_case(home);
        }
        (None, None) => {}
        _ => return false,
    }
    match (written.split_once('\\'), login.split_once('\\')) {
        (Some((place, written)), Some((home, login))) => {
            same(written, login) && place.eq_ignore_ascii_case(home)
        }
        (None, None) => same(written, login),
        _ => false,
    }
}

/// Whether a name has characters by which two names would look like one, or
/// become one in lower case. Such a name is compared with none.
pub(super) fn is_odd(name: &str) -> bool {
    !is_nfc(name) || name.chars().any(is_odd_character)
}

/// Characters that break lines, cannot be seen, or have another spelling that
/// looks the same.
fn is_odd_character(character: char) -> bool {
    match character {
        ' ' => false,
        ascii if ascii.is_ascii() => ascii.is_ascii_control(),
        other if other.is_control() || other.is_whitespace() => true,
        // Invisible: soft hyphen, Arabic letter mark, zero widths, directions, tags.
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' => true,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        // Combining accents.
        '\u{300}'..='\u{36f}' => true,
        // Undecodable bytes end up as this.
        char::REPLACEMENT_CHARACTER => true,
        other => is_second_capital(other),
    }
}

/// Whether the lower case of a letter is that of another capital, or several
/// letters: the signs for kelvin (an ordinary `k`), ohm and angstrom, `İ`.
fn is_second_capital(letter: char) -> bool {
    let Some(small) = alone(letter.to_lowercase()) else { return true };
    small != letter && alone(small.to_uppercase()).is_some_and(|capital| capital != letter)
}

/// The one letter, where it is one.
fn alone(mut letters: impl Iterator<Item = char>) -> Option<char> {
    letters.next().filter(|_| letters.next().is_none())
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
    fn lower_case_makes_no_letter_out_of_another_one_but_its_own_capital() {
        let mut capitals = std::collections::HashMap::new();
        for letter in (char::MIN..=char::MAX).filter(|letter| !is_odd_character(*letter)) {
            let login = lower(&letter.to_string());
            assert!(letter.is_ascii() || !login.bytes().any(|byte| byte.is_ascii()), "{letter:?}");
            if login != letter.to_string() {
                assert_eq!(capitals.insert(login, letter), None, "{letter:?}");
            }
        }
        for odd in ['\u{212a}', '\u{2126}', '\u{212b}', '\u{130}', '\u{3f4}', '\u{1c5}'] {
            assert!(is_odd_character(odd), "{odd:?}");
        }
        assert!(!is_odd_character('\u{1e9e}'), "no other letter becomes a sharp s");
    }

    #[test]
    fn a_written_login_counts_without_case_where_case_makes_no_second_person() {
        for (written, login, caseless, exact) in [
            ("John", "john", true, false),
            ("john", "john", true, true),
            ("JÉRÔME", "jérôme", true, false),
            ("\u{212a}im", "kim", false, false),
            ("john@lab.example", "john@LAB.EXAMPLE", true, true),
            ("John@lab.example", "john@LAB.EXAMPLE", true, false),
            ("lab\\john", "LAB\\john", true, true),
            ("john", "john@LAB.EXAMPLE", false, false),
            ("john@LAB.EXAMPLE", "john", false, false),
            ("lab\\john", "john", false, false),
            ("", "john", false, false),
        ] {
            let who = LoginId::without_company(login);
            assert_eq!(is_login(written, &who, false), caseless, "{written} {login}");
            assert_eq!(is_login(written, &who, true), exact, "{written} {login}");
            assert!(!is_login(written, &LoginId::new(login, "acme"), false), "of a tenant");
        }
    }
}

//! Untrusted texts for logs: with limited length, and without invisible characters.

use std::borrow::Cow;
use std::fmt::Write as _;

/// A text in which everything that moves a cursor, turns a line round or cannot
/// be seen is written out (`\u{1b}`), and which ends after about `at_most` bytes,
/// with a mark that tells how long it was.
pub(crate) fn legible(text: &str, at_most: usize) -> Cow<'_, str> {
    if text.len() <= at_most && !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len().min(at_most) + 32);
    for character in text.chars() {
        let before = shown.len();
        if is_hidden(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
        if shown.len() > at_most {
            shown.truncate(before);
            mark_cut(&mut shown, text);
            break;
        }
    }
    Cow::Owned(shown)
}

/// A text as it is, which ends after about `at_most` bytes with the same mark.
pub(crate) fn bounded(text: &str, at_most: usize) -> Cow<'_, str> {
    if text.len() <= at_most {
        return Cow::Borrowed(text);
    }
    let mut shown = text[..text.floor_char_boundary(at_most)].to_owned();
    mark_cut(&mut shown, text);
    Cow::Owned(shown)
}

/// JSON in which what cannot be seen is written out as JSON does (RFC 8259
/// section 7), so that a reader of the file sees it and a parser gets it exactly.
/// Outside of strings JSON has none of it.
pub(crate) fn legible_json(json: String) -> String {
    if !json.chars().any(is_hidden) {
        return json;
    }
    let mut shown = String::with_capacity(json.len() + 32);
    for character in json.chars() {
        if is_hidden(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string never fails.
                let _ = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

fn mark_cut(shown: &mut String, whole: &str) {
    // Writing to a string never fails.
    let _ = write!(shown, "… [cut: {} bytes]", whole.len());
}

/// Controls; line ends of Unicode; marks of direction, of no width and of language.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_seen_stays_and_all_else_is_written_out() {
        for (text, shown) in [
            ("john", "john"),
            ("jürgen 日本", "jürgen 日本"),
            ("a\nb\u{1b}[31m", "a\\nb\\u{1b}[31m"),
            ("a\u{202e}b\u{85}", "a\\u{202e}b\\u{85}"),
        ] {
            assert_eq!(legible(text, 100), shown);
        }
        assert_eq!(legible("abcdef", 3), "abc… [cut: 6 bytes]");
        assert_eq!(legible("日本", 4), "日… [cut: 6 bytes]");
        assert_eq!(legible("\u{1b}\u{1b}", 6), "\\u{1b}… [cut: 2 bytes]");
    }

    #[test]
    fn a_bound_falls_between_characters() {
        assert_eq!(bounded("日本", 6), "日本");
        assert_eq!(bounded("日本\n", 5), "日… [cut: 7 bytes]");
    }

    proptest! {
        #[test]
        fn a_parser_gets_exactly_what_json_said_and_a_reader_sees_all_of_it(text in any::<String>()) {
            let shown = legible_json(serde_json::to_string(&text).unwrap());
            prop_assert!(!shown.chars().any(is_hidden), "{shown}");
            prop_assert_eq!(serde_json::from_str::<String>(&shown).unwrap(), text);
        }

        #[test]
        fn nothing_hidden_is_left_and_the_length_is_bounded(text in any::<String>(), at_most in 0usize..64) {
            let shown = legible(&text, at_most);
            prop_assert!(shown.len() <= at_most + 40, "{shown}");
            prop_assert!(!shown.chars().any(is_hidden));
        }
    }
}

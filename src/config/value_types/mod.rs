//! The types of values that several sections have.

pub(super) mod account;
pub(super) mod addresses;
pub(super) mod plain;

pub(super) use self::account::Account;
pub(super) use self::addresses::{Addresses, is_host_name};
pub(super) use self::plain::{SecretText, Unread};

/// The value of one of a few words.
pub(super) fn one_of<T: Clone>(text: &str, words: &[(&str, T)]) -> Result<T, String> {
    if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
        return Ok(value.clone());
    }
    let known: Vec<&str> =
        words.iter().map(|(word, _)| *word).filter(|word| !word.is_empty()).collect();
    let nearest = known.iter().find(|word| strsim::jaro_winkler(text, word) > 0.8);
    Err(match nearest {
        Some(nearest) => format!("is not known; did you mean {nearest:?}?"),
        None => format!("is not known; write one of {}", known.join(", ")),
    })
}

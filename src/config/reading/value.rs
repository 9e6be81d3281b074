//! A value in the file, its place and its type, and the error if it has another type.

use std::ops::Deref;

use toml::Spanned;
use toml::de::DeValue;

use super::diagnostics::{At, Notes};
use super::fields::Key;

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(in crate::config) struct Given<T> {
    pub(in crate::config) at: At,
    pub(in crate::config) value: T,
}

/// A type that a key can have.
pub(in crate::config) trait FromToml: Sized {
    /// The keys inside, where the type is a section or a list of them.
    const KEYS: &'static [Key] = &[];

    /// What the documentation calls the type.
    fn type_name() -> String;

    /// Reads the value. `None`: something was wrong, and has been noted.
    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self>;
}

/// What to do about a value that should be text.
pub(in crate::config) const QUOTES: &str = "put it in quotes";

/// A type that is written as text.
pub(in crate::config) trait Word: Sized {
    /// What the documentation calls the type.
    const TYPE: &'static str;

    /// What to do about a value that is no text.
    const MEND: &'static str = QUOTES;

    /// The text as a complaint shows it.
    fn shown(text: &str) -> String {
        format!("{text:?}")
    }

    /// Reads the text.
    ///
    /// # Errors
    /// The rest of the sentence that begins with the text: what is wrong; what to do.
    fn parse(text: &str) -> Result<Self, String>;
}

impl<T> Given<T> {
    /// Whether the file says it, and not the default.
    pub(in crate::config) const fn is_set(&self) -> bool {
        self.at.offset.is_some()
    }
}

impl<T> Deref for Given<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Given<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Word> FromToml for T {
    fn type_name() -> String {
        T::TYPE.to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        let Some(text) = value.get_ref().as_str() else {
            return wrong_type::<Self>(value, T::MEND, at, notes);
        };
        match T::parse(text) {
            Ok(word) => Some(word),
            Err(sentence) => {
                notes.error(at, format!("{} {sentence}", T::shown(text)));
                None
            }
        }
    }
}

impl<T: FromToml> FromToml for Vec<Given<T>> {
    const KEYS: &'static [Key] = T::KEYS;

    fn type_name() -> String {
        format!("list of {}", T::type_name())
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        let Some(items) = value.get_ref().as_array() else {
            let mend = match T::KEYS {
                [] => "put it in square brackets".to_owned(),
                _ => format!("write [[{}]]", at.key),
            };
            return wrong_type::<Self>(value, &mend, at, notes);
        };
        let mut read = Vec::new();
        for item in items.iter() {
            let offset = at.offset.map(|_| item.span().start);
            let at = At { key: at.key.clone(), offset };
            if let Some(value) = T::from_toml(item, &at, notes) {
                read.push(Given { at, value });
            }
        }
        (read.len() == items.iter().len()).then_some(read)
    }
}

/// Empty text is absence.
impl<T: Word> Word for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const MEND: &'static str = T::MEND;

    fn shown(text: &str) -> String {
        T::shown(text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }
}

/// Notes that a value is of another type than its key; `None`, for the caller to return.
pub(in crate::config) fn wrong_type<T: FromToml>(
    value: &Spanned<DeValue<'_>>,
    mend: &str,
    at: &At,
    notes: &mut Notes<'_>,
) -> Option<T> {
    let found = match value.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a section",
    };
    let mend = match value.get_ref() {
        DeValue::Array(_) if mend == QUOTES => "write one value, in quotes and without [ ]",
        _ => mend,
    };
    notes.error(at, format!("expected {}, found {found}; {mend}", T::type_name()));
    None
}

/// Notes a number or time outside its bounds.
pub(in crate::config) fn within<T: PartialOrd + std::fmt::Debug>(
    given: &Given<T>,
    least: &T,
    most: &T,
    notes: &mut Notes<'_>,
) {
    if given.value < *least {
        notes.error(&given.at, format!("is less than {least:?}; write that or more"));
    } else if given.value > *most {
        notes.error(&given.at, format!("is more than {most:?}; write that or less"));
    }
}

//! A value in the file, its place and its type, and the error if it has another type.

use std::fmt;
use std::ops::Deref;

use toml::Spanned;
use toml::de::DeValue;

use super::diagnostics::{Diagnostics, Location};
use super::key::Key;

/// A value and where it is.
#[derive(Clone, Debug)]
pub(in crate::config) struct Located<T> {
    pub(in crate::config) at: Location,
    pub(in crate::config) value: T,
}

/// A type that a key can have.
pub(in crate::config) trait FromToml: Sized {
    /// The keys inside, where the type is a section or a list of them.
    const KEYS: &'static [Key] = &[];

    /// What the documentation calls the type.
    fn type_name() -> String;

    /// Reads the value. `None`: something was wrong, and has been reported.
    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self>;
}

/// What to do about a value that should be text.
pub(in crate::config) const QUOTES: &str = "put it in quotes";

/// A type that is written as text.
pub(in crate::config) trait TextValue: Sized {
    /// What the documentation calls the type.
    const TYPE: &'static str;

    /// What to do about a value that is no text.
    const FIX: &'static str = QUOTES;

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

impl<T> Located<T> {
    /// Whether the file says it, and not the default.
    pub(in crate::config) const fn is_set(&self) -> bool {
        self.at.offset.is_some()
    }
}

impl<T: PartialOrd + fmt::Debug> Located<T> {
    /// Reports a number or time outside its bounds.
    pub(in crate::config) fn within(&self, least: &T, most: &T, diagnostics: &mut Diagnostics<'_>) {
        if self.value < *least {
            diagnostics.error(&self.at, format!("is less than {least:?}; write that or more"));
        } else if self.value > *most {
            diagnostics.error(&self.at, format!("is more than {most:?}; write that or less"));
        }
    }
}

impl<T> Deref for Located<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Located<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: TextValue> FromToml for T {
    fn type_name() -> String {
        T::TYPE.to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        let Some(text) = value.get_ref().as_str() else {
            return wrong_type::<Self>(value, T::FIX, at, diagnostics);
        };
        match T::parse(text) {
            Ok(word) => Some(word),
            Err(sentence) => {
                diagnostics.error(at, format!("{} {sentence}", T::shown(text)));
                None
            }
        }
    }
}

impl<T: FromToml> FromToml for Vec<Located<T>> {
    const KEYS: &'static [Key] = T::KEYS;

    fn type_name() -> String {
        format!("list of {}", T::type_name())
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        let Some(items) = value.get_ref().as_array() else {
            let fix = match T::KEYS {
                [] => "put it in square brackets".to_owned(),
                _ => format!("write [[{}]]", at.key),
            };
            return wrong_type::<Self>(value, &fix, at, diagnostics);
        };
        let mut read = Vec::new();
        for item in items.iter() {
            let offset = at.offset.map(|_| item.span().start);
            let at = Location { key: at.key.clone(), offset };
            if let Some(value) = T::from_toml(item, &at, diagnostics) {
                read.push(Located { at, value });
            }
        }
        (read.len() == items.iter().len()).then_some(read)
    }
}

/// Empty text is absence.
impl<T: TextValue> TextValue for Option<T> {
    const TYPE: &'static str = T::TYPE;
    const FIX: &'static str = T::FIX;

    fn shown(text: &str) -> String {
        T::shown(text)
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() { Ok(None) } else { T::parse(text).map(Some) }
    }
}

/// Reports that a value is of another type than its key; `None`, for the caller to return.
pub(in crate::config) fn wrong_type<T: FromToml>(
    value: &Spanned<DeValue<'_>>,
    fix: &str,
    at: &Location,
    diagnostics: &mut Diagnostics<'_>,
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
    let fix = match value.get_ref() {
        DeValue::Array(_) if fix == QUOTES => "write one value, in quotes and without [ ]",
        _ => fix,
    };
    diagnostics.error(at, format!("expected {}, found {found}; {fix}", T::type_name()));
    None
}

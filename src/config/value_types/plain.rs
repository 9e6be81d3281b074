//! The plain types of values: flags, numbers, text, paths, times, secrets.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;
use toml::Spanned;
use toml::de::DeValue;

use crate::config::reading::{Diagnostics, FromToml, Location, QUOTES, TextValue, wrong_type};

/// A secret as the file has it: itself, or `$NAME` of an environment variable.
#[derive(Clone)]
pub(in crate::config) struct SecretText(pub(in crate::config) SecretString);

/// A table or list of a feature that this version lacks: only whether anything is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Unread {
    anything: bool,
}

impl FromToml for bool {
    fn type_name() -> String {
        "true or false".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        match value.get_ref().as_bool() {
            Some(flag) => Some(flag),
            None => wrong_type::<Self>(value, "write it without quotes", at, diagnostics),
        }
    }
}

impl FromToml for usize {
    fn type_name() -> String {
        "number".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        let Some(integer) = value.get_ref().as_integer() else {
            return wrong_type::<Self>(value, "write digits without quotes", at, diagnostics);
        };
        let number = Self::from_str_radix(integer.as_str(), integer.radix()).ok();
        if number.is_none() {
            diagnostics
                .error(at, format!("{integer} is negative or too large; write a smaller number"));
        }
        number
    }
}

impl FromToml for SecretText {
    fn type_name() -> String {
        "secret".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        match value.get_ref().as_str() {
            Some(text) => Some(Self(text.into())),
            None => wrong_type::<Self>(value, QUOTES, at, diagnostics),
        }
    }
}

impl FromToml for Unread {
    fn type_name() -> String {
        "section".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        match value.get_ref() {
            DeValue::Table(_) => Some(Self { anything: at.offset.is_some() }),
            DeValue::Array(items) => Some(Self { anything: !items.is_empty() }),
            _ => wrong_type::<Self>(value, &format!("write [{}]", at.key), at, diagnostics),
        }
    }
}

impl TextValue for String {
    const TYPE: &'static str = "text";

    fn parse(text: &str) -> Result<Self, String> {
        if text.chars().any(char::is_control) {
            return Err("contains a control character; remove it".to_owned());
        }
        Ok(text.to_owned())
    }
}

impl TextValue for PathBuf {
    const TYPE: &'static str = "absolute path";

    fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') || text.contains('\0') {
            return Err("is not an absolute path; begin it with /".to_owned());
        }
        Ok(Self::from(text))
    }
}

impl TextValue for Duration {
    const TYPE: &'static str = "time";
    const FIX: &'static str = "write it with its unit and in quotes, such as \"300s\"";

    fn parse(text: &str) -> Result<Self, String> {
        let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86_400)];
        let seconds = units.iter().find_map(|&(unit, seconds)| {
            let digits = text.strip_suffix(unit)?;
            let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            plain.then(|| digits.parse::<u64>().ok()?.checked_mul(seconds))
        });
        match seconds {
            Some(Some(seconds)) if seconds <= LONGEST_SECONDS => Ok(Self::from_secs(seconds)),
            Some(_) => Err("is longer than ten years; write a shorter time".to_owned()),
            None => Err(
                "is not a time; write a whole number and s, m, h or d, such as \"300s\" or \"10h\""
                    .to_owned(),
            ),
        }
    }
}

/// Ten years: sums with any present moment stay far from every limit.
const LONGEST_SECONDS: u64 = 10 * 365 * 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_a_whole_number_and_a_unit() {
        let seconds = |text| Duration::parse(text).ok().map(|time| time.as_secs());
        assert_eq!(seconds("300s"), Some(300));
        assert_eq!(seconds("10m"), Some(600));
        assert_eq!(seconds("10h"), Some(36_000));
        assert_eq!(seconds("2d"), Some(172_800));
        for wrong in [
            "",
            "s",
            "300",
            "-1s",
            "+1s",
            "1.5h",
            " 1s",
            "1 s",
            "1S",
            "1w",
            "3651d",
            "99999999999999999999d",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong:?}");
        }
    }
}

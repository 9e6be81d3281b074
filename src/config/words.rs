//! The words of policy: requirements, mechanisms, accounts, and choices among a few.

use std::path::PathBuf;

use toml::Spanned;
use toml::de::DeValue;

use super::checked::{ChannelBinding, HelperProtocol, LogFormat, Requirement, Strip, UserName};
use super::errors::{At, Notes};
use super::value::{FromToml, Word, wrong_type};
use crate::wire::Mechanism;

/// A word of a `mechanisms` list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offer(pub(super) Mechanism);

/// Local accounts: a name, a numeric uid in digits, or `@` and the name of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Account(pub(super) String);

/// `run_as_user`: an account or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunAsUser(pub(super) Option<Account>);

/// `run_as_group`: a group, by its name or its gid in digits, or none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RunAsGroup(pub(super) Option<String>);

/// Where audit lines go: `None` is standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AuditFile(pub(super) Option<PathBuf>);

impl Word for Requirement {
    const TYPE: &'static str = "requirement";

    fn parse(text: &str) -> Result<Self, String> {
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) => (kind, Some(name)),
            None => (text, None),
        };
        let named =
            name.filter(|name| !name.trim().is_empty() && !name.chars().any(char::is_control));
        match (kind, name, named) {
            ("valid-user", None, _) => Ok(Self::ValidUser),
            ("admin", None, _) => Ok(Self::Admin),
            ("user", _, Some(name)) => Ok(Self::User(name.to_owned())),
            ("group", _, Some(name)) => Ok(Self::Group(name.to_owned())),
            ("company", _, Some(name)) => Ok(Self::Company(name.to_owned())),
            _ => Err("is not a requirement; write valid-user, user:NAME, group:NAME, company:NAME or admin".to_owned()),
        }
    }
}

impl Word for Offer {
    const TYPE: &'static str = "mechanism";

    fn parse(text: &str) -> Result<Self, String> {
        let words: Vec<_> =
            Mechanism::listed().map(|mechanism| (mechanism.as_str(), Self(mechanism))).collect();
        one_of(text, &words)
    }
}

impl Word for ChannelBinding {
    const TYPE: &'static str = "off, allow or require";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("off", Self::Off), ("allow", Self::Allow), ("require", Self::Require)])
    }
}

impl Word for UserName {
    const TYPE: &'static str = "sam, upn or principal";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("sam", Self::Sam), ("upn", Self::Upn), ("principal", Self::Principal)])
    }
}

impl Word for HelperProtocol {
    const TYPE: &'static str = "ntlm-server-1 or squid-2.5-ntlmssp";

    fn parse(text: &str) -> Result<Self, String> {
        let words = [Self::NtlmServer1, Self::Squid25Ntlmssp];
        one_of(text, &words.map(|word| (word.as_str(), word)))
    }
}

/// Whether the service that an NTLM client means is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TargetName {
    /// It must be one of ours, where the client says it.
    Check,
    /// It is not looked at.
    Off,
}

impl Word for TargetName {
    const TYPE: &'static str = "check or off";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("check", Self::Check), ("off", Self::Off)])
    }
}

impl Word for tracing::Level {
    const TYPE: &'static str = "error, warn, info, debug or trace";

    fn parse(text: &str) -> Result<Self, String> {
        let levels = [
            ("error", Self::ERROR),
            ("warn", Self::WARN),
            ("info", Self::INFO),
            ("debug", Self::DEBUG),
            ("trace", Self::TRACE),
        ];
        one_of(text, &levels)
    }
}

impl Word for LogFormat {
    const TYPE: &'static str = "text, json or empty";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("", Self::Automatic), ("text", Self::Text), ("json", Self::Json)])
    }
}

impl Word for AuditFile {
    const TYPE: &'static str = "stderr or absolute path";

    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "stderr" => Ok(Self(None)),
            path if path.starts_with('/') && !path.contains('\0') => {
                Ok(Self(Some(PathBuf::from(path))))
            }
            _ => Err("is neither stderr nor an absolute path; begin the path with /".to_owned()),
        }
    }
}

impl FromToml for Account {
    fn type_name() -> String {
        "account name, uid or @group".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Integer(_) | DeValue::String(_) => {
                let table = "/etc/passwd, or a group as @wheel";
                name_or_id(value, ["uid", "an account", table], at, notes).map(Self)
            }
            _ => wrong_type::<Self>(value, "write \"name\" or a number", at, notes),
        }
    }
}

impl FromToml for RunAsUser {
    fn type_name() -> String {
        "account name or uid".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        match value.get_ref().as_str() {
            Some("") => Some(Self(None)),
            _ => {
                let user = name_or_id(value, ["uid", "an account", "/etc/passwd"], at, notes);
                user.map(|user| Self(Some(Account(user))))
            }
        }
    }
}

impl FromToml for RunAsGroup {
    fn type_name() -> String {
        "group name or gid".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(name) if name.is_empty() => Some(Self(None)),
            DeValue::Integer(_) | DeValue::String(_) => {
                let group = name_or_id(value, ["gid", "a group", "/etc/group"], at, notes);
                group.map(|group| Self(Some(group)))
            }
            _ => wrong_type::<Self>(value, "write \"name\" or a number", at, notes),
        }
    }
}

impl FromToml for Strip {
    fn type_name() -> String {
        "true, false, \"zcp\" or \"kopano\"".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(true) => Some(Self::Exact),
            DeValue::Boolean(false) => Some(Self::Keep),
            DeValue::String(rule) if rule == "zcp" => Some(Self::Zcp),
            DeValue::String(rule) if rule == "kopano" => Some(Self::Kopano),
            DeValue::String(rule) => {
                notes.error(
                    at,
                    format!("{rule:?} is not a rule; write true, false, \"zcp\" or \"kopano\""),
                );
                None
            }
            _ => wrong_type::<Self>(value, "write one of these", at, notes),
        }
    }
}

/// A name as the system's table of users or groups has it, or an id, in digits.
/// `[id, what, table]` are the words of the complaint.
fn name_or_id(
    value: &Spanned<DeValue<'_>>,
    [id, what, table]: [&str; 3],
    at: &At,
    notes: &mut Notes<'_>,
) -> Option<String> {
    let unfit = |c: char| c.is_control() || c.is_whitespace() || c == ':';
    match value.get_ref() {
        DeValue::Integer(digits) => {
            let read = u32::from_str_radix(digits.as_str(), digits.radix());
            if let Ok(number) = read
                && number != u32::MAX
            {
                return Some(number.to_string());
            }
            notes.error(at, format!("{digits} is not a {id}; write a number from 0 to 4294967294"));
        }
        DeValue::String(name) if !matches!(&**name, "" | "@") && !name.contains(unfit) => {
            return Some(name.to_string());
        }
        _ => {
            let shown = value.get_ref().as_str().unwrap_or_default();
            notes.error(at, format!("{shown:?} is not the name of {what}; write it as in {table}"));
        }
    }
    None
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::mechanism::Listing;

    #[test]
    fn every_mechanism_that_may_be_listed_is_a_word_and_no_other_is() {
        for mechanism in Mechanism::ALL.iter().copied() {
            let listed = Offer::parse(mechanism.as_str()).ok();
            let may = mechanism.row().listing != Listing::Never;
            assert_eq!(listed, may.then_some(Offer(mechanism)), "{}", mechanism.as_str());
        }
    }

    #[test]
    fn the_default_list_has_those_that_are_offered_by_default() {
        let keys = crate::config::raw::Sso::KEYS;
        let default = keys.iter().find(|key| key.name == "mechanisms").unwrap().default;
        let expected: Vec<_> = Mechanism::listed()
            .filter(|mechanism| mechanism.row().listing == Listing::ByDefault)
            .map(|mechanism| format!("{:?}", mechanism.as_str()))
            .collect();
        assert_eq!(default, format!("[{}]", expected.join(", ")));
    }
}

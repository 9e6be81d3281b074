//! The words of `[[core.key]]`.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::Spanned;
use toml::de::DeValue;

use super::checked::ActAs;
use super::errors::{At, Notes};
use super::value::{FromToml, Word, wrong_type};
use super::words::one_of;
use crate::clock::Timestamp;
use crate::wire::LoginId;

/// What kind of peer holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A service or a web application, which vouches for users.
    Service,
    /// A front, which proves who is there.
    Front,
}

/// What a key may do that no `[[core.key]]` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WithoutEntry {
    /// Everything.
    System,
    /// Nothing.
    Refuse,
}

/// The name of a file in a folder, without the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FileName(pub(super) String);

/// A moment; empty: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Moment(pub(super) Option<Timestamp>);

impl Word for Role {
    const TYPE: &'static str = "service or front";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("service", Self::Service), ("front", Self::Front)])
    }
}

impl Word for WithoutEntry {
    const TYPE: &'static str = "system or refuse";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("system", Self::System), ("refuse", Self::Refuse)])
    }
}

impl Word for FileName {
    const TYPE: &'static str = "file name";

    fn parse(text: &str) -> Result<Self, String> {
        if text.contains(['/', '\0']) || matches!(text, "." | "..") {
            return Err("is not the name of a file in core.sslkeys_path; write it without the folder, as webapp-public.pem".to_owned());
        }
        Ok(Self(text.to_owned()))
    }
}

impl Word for ActAs {
    const TYPE: &'static str = "SYSTEM, *, user name or company:NAME";

    fn parse(text: &str) -> Result<Self, String> {
        match (text, text.split_once(':')) {
            ("SYSTEM", _) => Ok(Self::System),
            ("*", _) => Ok(Self::Anybody),
            (_, Some(("company", name))) if is_name(name) => Ok(Self::Company(name.to_owned())),
            (name, None) if is_name(name) => Ok(Self::User(LoginId::without_company(name))),
            _ => {
                Err("is empty; write SYSTEM, *, a login name such as john, or company:NAME"
                    .to_owned())
            }
        }
    }
}

impl FromToml for Moment {
    fn type_name() -> String {
        "date and time".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::Datetime(moment) => moment.to_string(),
            DeValue::String(text) if text.is_empty() => return Some(Self(None)),
            DeValue::String(text) => text.to_string(),
            _ => return wrong_type::<Self>(value, "write it as 2027-01-31T12:00:00Z", at, notes),
        };
        let moment = OffsetDateTime::parse(&text, &Rfc3339).ok();
        let seconds = moment.and_then(|moment| u64::try_from(moment.unix_timestamp()).ok());
        if seconds.is_none() {
            notes.error(at, format!("{text:?} is not a date and time with time zone (RFC 3339); write it as 2027-01-31T12:00:00Z"));
        }
        seconds.map(|seconds| Self(Some(Timestamp::from_unix(seconds))))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
}

//! `[[core.key]]`

use std::fmt;

use ipnet::IpNet;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use toml::Spanned;
use toml::de::DeValue;

use crate::clock::Timestamp;
use crate::config::reading::{
    Diagnostics, FromToml, Located, Location, TextValue, section, wrong_type,
};
use crate::config::value_types::one_of;
use crate::wire::{KeyFile, LoginId};

section! {
    /// `[[core.key]]`
    Written {
        file: FileName = r#""""#, Reload, "Name of the file in core.sslkeys_path.";
        act_as: Vec<Located<ActAs>> = "[]", Reload, "The users for whom the holder may open sessions.";
        role: Role = r#""service""#, Reload, "What kind of peer the holder is.";
        from: Vec<Located<IpNet>> = "[]", Reload, "Networks from which the key is accepted; empty: from everywhere.";
        not_after: Moment = r#""""#, Reload, "Date and time when the key expires; empty: never.";
    }
}

/// `[[core.key]]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CoreKey {
    pub file: KeyFile,
    /// What its holder may do.
    pub rights: KeyRights,
    /// Networks it may come from; empty: from everywhere.
    pub from: Vec<IpNet>,
    /// When it ceases to count.
    pub not_after: Option<Timestamp>,
}

/// What the holder of a key may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyRights {
    /// Everything.
    System,
    /// What a front may.
    Front,
    /// Vouch for these.
    Service(Vec<ActAs>),
}

/// One word of `key.act_as`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ActAs {
    /// `SYSTEM`: everything, for everybody.
    System,
    /// `*`: any user.
    Anybody,
    /// The user of this login who is of no tenant.
    User(LoginId),
    /// `company:NAME`: the users of a tenant.
    Company(String),
}

/// What the holders of keys may do.
pub(super) fn check(list: &[Located<Written>], diagnostics: &mut Diagnostics<'_>) -> Vec<CoreKey> {
    twins(list, diagnostics);
    list.iter().filter_map(|given| key(given, diagnostics)).collect()
}

/// Whether a key without an entry is SYSTEM. As soon as there is an entry, a
/// slip of the pen in one must not make its key more than it says.
pub(super) fn without_entry_are_system(written: &super::Written) -> bool {
    written
        .keys_without_entry
        .value
        .map_or(written.key.is_empty(), |said| said == WithoutEntry::System)
}

/// `None` where it names no file, which is complained of.
fn key(written: &Located<Written>, diagnostics: &mut Diagnostics<'_>) -> Option<CoreKey> {
    if written.file.0.is_none() {
        diagnostics
            .error(&written.at, "names no file; set file to a file name in core.sslkeys_path");
    }
    let act_as: Vec<ActAs> = written.act_as.iter().map(|given| given.value.clone()).collect();
    let rights = match (written.role.value, act_as.as_slice()) {
        (Role::Front, []) => KeyRights::Front,
        (Role::Front, _) => {
            diagnostics.error(&written.act_as.at, "is not for fronts, because they authenticate users themselves; remove it, or set role = \"service\"");
            KeyRights::Front
        }
        (Role::Service, []) => {
            diagnostics.error(&written.at, "gives no rights; set act_as (SYSTEM, *, login names, company:NAME) or role = \"front\"");
            KeyRights::Service(act_as)
        }
        (Role::Service, _) if act_as.contains(&ActAs::System) => KeyRights::System,
        (Role::Service, _) => KeyRights::Service(act_as),
    };
    // Networks that could not be read are complained of already, and look like none.
    if diagnostics.is_sound() && written.from.is_set() && written.from.is_empty() {
        diagnostics.error(
            &written.from.at,
            "is empty; list networks, or remove it to accept the key from everywhere",
        );
    }
    Some(CoreKey {
        file: written.file.0.clone()?,
        rights,
        from: written.from.iter().map(|given| given.value).collect(),
        not_after: written.not_after.0,
    })
}

fn twins(keys: &[Located<Written>], diagnostics: &mut Diagnostics<'_>) {
    for (index, key) in keys.iter().enumerate() {
        let Some(file) = &key.file.0 else { continue };
        let earlier = keys.iter().take(index).find(|earlier| earlier.file.0.as_ref() == Some(file));
        if let Some(earlier) = earlier {
            let line = diagnostics.line(&earlier.at);
            let sentence = format!("{file:?} already has an entry (line {line}); remove one");
            diagnostics.error(&key.file.at, sentence);
        }
    }
}

/// What kind of peer holds a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum Role {
    /// A service or a web application, which vouches for users.
    Service,
    /// A front, which proves who is there.
    Front,
}

/// What a key may do that no `[[core.key]]` names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum WithoutEntry {
    /// Everything.
    System,
    /// Nothing.
    Refuse,
}

/// The name of a file; empty: none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct FileName(pub(in crate::config) Option<KeyFile>);

/// A moment; empty: none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) struct Moment(pub(in crate::config) Option<Timestamp>);

impl TextValue for Role {
    const TYPE: &'static str = "service or front";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("service", Self::Service), ("front", Self::Front)])
    }
}

impl TextValue for WithoutEntry {
    const TYPE: &'static str = "system or refuse";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("system", Self::System), ("refuse", Self::Refuse)])
    }
}

impl TextValue for FileName {
    const TYPE: &'static str = "file name";

    fn parse(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self(None));
        }
        let file = text.parse().map_err(|_| "is not the name of a file in core.sslkeys_path; write it without the folder, as webapp-public.pem")?;
        Ok(Self(Some(file)))
    }
}

impl TextValue for ActAs {
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

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        let text = match value.get_ref() {
            DeValue::Datetime(moment) => moment.to_string(),
            DeValue::String(text) if text.is_empty() => return Some(Self(None)),
            DeValue::String(text) => text.to_string(),
            _ => {
                return wrong_type::<Self>(
                    value,
                    "write it as 2027-01-31T12:00:00Z",
                    at,
                    diagnostics,
                );
            }
        };
        let moment = OffsetDateTime::parse(&text, &Rfc3339).ok();
        let seconds = moment.and_then(|moment| u64::try_from(moment.unix_timestamp()).ok());
        if seconds.is_none() {
            diagnostics.error(at, format!("{text:?} is not a date and time with time zone (RFC 3339); write it as 2027-01-31T12:00:00Z"));
        }
        seconds.map(|seconds| Self(Some(Timestamp::from_unix(seconds))))
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.trim() == text && !text.chars().any(char::is_control)
}

impl fmt::Display for ActAs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System => f.write_str("SYSTEM"),
            Self::Anybody => f.write_str("*"),
            Self::User(who) => who.fmt(f),
            Self::Company(name) => write!(f, "company:{name}"),
        }
    }
}

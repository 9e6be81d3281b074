//! Sessions and users as every store keeps them: JSON with a version, apart from the
//! types of the API, which may change without what is stored.
//!
//! A field may be added at any time: older versions ignore it. What gives a known field
//! another meaning needs a new [`VERSION`]; older versions skip such rows, and leave them.

use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;

use serde::de::value::{Error, StrDeserializer};
use serde::de::{Deserialize, IntoDeserializer};
use serde::{Deserialize as FromRow, Serialize as ToRow};

use super::{Record, Usage};
use crate::clock::Timestamp;
use crate::wire::{AdminLevel, Ending, Fingerprint, LoginId, Mechanism, SessionKey, User, Word};

#[cfg(test)]
mod tests;

/// The version in which rows are written.
pub(super) const VERSION: u32 = 1;

/// What a session is apart from its key, its user and its uses, which change or are
/// looked for.
#[derive(ToRow, FromRow)]
struct SessionRow<'a> {
    v: u32,
    #[serde(borrow)]
    mechanism: Cow<'a, str>,
    principal: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<Word<Fingerprint>>,
    channel_bound: bool,
    opened_at: u64,
    expires_at: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    only_from: Option<IpAddr>,
    #[serde(default, borrow, skip_serializing_if = "str::is_empty")]
    opened_by: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    impersonator: Option<Cow<'a, str>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client: Option<IpAddr>,
}

/// The content of a user, which sessions share.
#[derive(ToRow, FromRow)]
struct UserRow<'a> {
    v: u32,
    login: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    name: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    email: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    company: Cow<'a, str>,
    #[serde(default, skip_serializing_if = "<[String]>::is_empty")]
    groups: Cow<'a, [String]>,
    #[serde(default)]
    admin: u8,
}

/// Why a row is not read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unread {
    /// A newer version wrote it.
    #[error("a newer version wrote it")]
    Newer,
    /// It does not hold what was written.
    #[error("{0}")]
    Damaged(String),
}

pub(super) fn of_session(record: &Record) -> serde_json::Result<String> {
    serde_json::to_string(&SessionRow {
        v: VERSION,
        mechanism: record.mechanism.as_str().into(),
        principal: record.principal.as_str().into(),
        public_key: record.public_key.map(Word::Known),
        channel_bound: record.channel_bound,
        opened_at: record.opened_at.unix(),
        expires_at: record.expires_at.unix(),
        only_from: record.only_from,
        opened_by: Cow::from(&*record.opened_by),
        impersonator: record.impersonator.as_deref().map(Cow::from),
        client: record.client,
    })
}

/// The session of a row. `by` finds the one copy of the words on who opened it.
pub(super) fn read_session(
    row: &str,
    key: SessionKey,
    user: Arc<User>,
    usage: Usage,
    by: impl FnOnce(&str) -> Arc<str>,
) -> Result<Record, Unread> {
    let row: SessionRow<'_> = read(row, |row: &SessionRow<'_>| row.v)?;
    let public_key = row.public_key.map(|word| word.known().ok_or(Unread::Newer)).transpose()?;
    Ok(Record {
        key,
        user,
        mechanism: Mechanism::named(&row.mechanism).ok_or(Unread::Newer)?,
        principal: row.principal.into_owned(),
        typed: None,
        public_key,
        channel_bound: row.channel_bound,
        opened_at: Timestamp::from_unix(row.opened_at),
        expires_at: Timestamp::from_unix(row.expires_at),
        only_from: row.only_from,
        opened_by: by(&row.opened_by),
        impersonator: row.impersonator.map(Cow::into_owned),
        client: row.client,
        usage,
    })
}

pub(super) fn of_user(user: &User) -> serde_json::Result<String> {
    serde_json::to_string(&UserRow {
        v: VERSION,
        login: user.login().into(),
        name: user.name.as_str().into(),
        email: user.email.as_str().into(),
        company: user.company().into(),
        groups: user.groups.as_slice().into(),
        admin: match user.admin {
            AdminLevel::None => 0,
            AdminLevel::Company => 1,
            AdminLevel::System => 2,
        },
    })
}

pub(super) fn read_user(row: &str) -> Result<User, Unread> {
    let row: UserRow<'_> = read(row, |row: &UserRow<'_>| row.v)?;
    Ok(User {
        login_id: LoginId::new(row.login, row.company),
        name: row.name.into_owned(),
        email: row.email.into_owned(),
        groups: row.groups.into_owned(),
        admin: match row.admin {
            0 => AdminLevel::None,
            1 => AdminLevel::Company,
            2 => AdminLevel::System,
            _ => return Err(Unread::Newer),
        },
    })
}

/// Why a session ended, by its word; `None`: a newer version has more such words.
pub(super) fn ending(text: &str) -> Option<Ending> {
    // A word that is not known is a newer version's.
    let words: StrDeserializer<'_, Error> = text.into_deserializer();
    Ending::deserialize(words).ok()
}

/// A row of this version, or of an older one.
fn read<'a, R: FromRow<'a>>(row: &'a str, version: fn(&R) -> u32) -> Result<R, Unread> {
    /// What rows of all versions have.
    #[derive(FromRow)]
    struct Any {
        v: u32,
    }
    match serde_json::from_str::<R>(row) {
        Ok(read) if version(&read) <= VERSION => Ok(read),
        Ok(_) => Err(Unread::Newer),
        Err(error) => match serde_json::from_str::<Any>(row) {
            Ok(any) if any.v > VERSION => Err(Unread::Newer),
            _ => Err(Unread::Damaged(error.to_string())),
        },
    }
}

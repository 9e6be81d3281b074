//! Sessions and users as rows.

use std::net::IpAddr;
use std::sync::Arc;

use rusqlite::types::{Type, ValueRef};
use rusqlite::{Row, Transaction, params};

use crate::clock::Timestamp;
use crate::core_server::store::{Changes, Record, Usage};
use crate::wire::{Mechanism, SessionKey, User};

pub(super) fn insert_user(
    transaction: &Transaction<'_>,
    id: u64,
    user: &User,
) -> rusqlite::Result<()> {
    let body = serde_json::to_string(user)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    transaction
        .prepare_cached("INSERT INTO users (id, body) VALUES (?1, ?2)")?
        .execute(params![integer(id), body])?;
    Ok(())
}

pub(super) fn insert_session(
    transaction: &Transaction<'_>,
    record: &Record,
) -> rusqlite::Result<()> {
    transaction.prepare_cached(INSERT_SESSION)?.execute(params![
        integer(record.serial),
        record.key.as_bytes(),
        integer(record.user_id),
        record.mechanism.as_str(),
        record.principal,
        record.channel_bound,
        integer(record.opened_at.unix()),
        integer(record.expires_at.unix()),
        record.only_from.map(|address| address.to_string()),
        integer(record.usage.last_used.unix()),
        record.usage.claimed,
        record.opened_by,
        record.impersonator,
        record.client.map(|address| address.to_string()),
        record.public_key,
    ])?;
    Ok(())
}

pub(super) fn apply(transaction: &Transaction<'_>, changes: &Changes) -> rusqlite::Result<()> {
    let mut update = transaction
        .prepare_cached("UPDATE sessions SET last_used = ?2, claimed = ?3 WHERE serial = ?1")?;
    for (&serial, usage) in &changes.used {
        let last_used = integer(usage.last_used.unix());
        update.execute(params![integer(serial), last_used, usage.claimed])?;
    }
    let mut delete = transaction.prepare_cached("DELETE FROM sessions WHERE serial = ?1")?;
    for &serial in &changes.ended {
        delete.execute([integer(serial)])?;
    }
    let mut forget = transaction.prepare_cached("DELETE FROM users WHERE id = ?1")?;
    for &id in &changes.forgotten {
        forget.execute([integer(id)])?;
    }
    Ok(())
}

pub(super) fn read(row: &Row<'_>, user: Arc<User>) -> rusqlite::Result<Record> {
    Ok(Record {
        serial: number(row, 0)?,
        key: SessionKey::from_bytes(row.get(1)?),
        user_id: number(row, 2)?,
        user,
        mechanism: parse(row, 3, Mechanism::named)?,
        principal: row.get(4)?,
        typed: None,
        channel_bound: row.get(5)?,
        opened_at: Timestamp::from_unix(number(row, 6)?),
        expires_at: Timestamp::from_unix(number(row, 7)?),
        only_from: address(row, 8)?,
        usage: Usage { last_used: Timestamp::from_unix(number(row, 9)?), claimed: row.get(10)? },
        opened_by: row.get(11)?,
        impersonator: row.get(12)?,
        client: address(row, 13)?,
        public_key: row.get(14)?,
    })
}

fn address(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<IpAddr>> {
    match row.get_ref(column)? {
        ValueRef::Null => Ok(None),
        _ => parse(row, column, |text| text.parse().ok()).map(Some),
    }
}

fn parse<T>(row: &Row<'_>, column: usize, read: fn(&str) -> Option<T>) -> rusqlite::Result<T> {
    let text = row.get_ref(column)?.as_str()?;
    read(text).ok_or_else(|| {
        let what = format!("{text:?} is not understood");
        rusqlite::Error::FromSqlConversionFailure(column, Type::Text, what.into())
    })
}

pub(super) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// SQLite has no unsigned integers; ours (counters, seconds) never come near the border.
fn integer(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

const INSERT_SESSION: &str = "INSERT INTO sessions (serial, key, user, mechanism, principal,
    channel_bound, opened_at, expires_at, only_from, last_used, claimed,
    opened_by, impersonator, client, public_key)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)";
pub(super) const SELECT_SESSIONS: &str =
    "SELECT serial, key, user, mechanism, principal, channel_bound,
    opened_at, expires_at, only_from, last_used, claimed,
    opened_by, impersonator, client, public_key FROM sessions ORDER BY serial";

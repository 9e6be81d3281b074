//! What one transaction does to the rows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use super::index::{At, Draft};
use crate::clock::Timestamp;
use crate::core_server::store::{End, Outcome, Record, Usage, row};
use crate::wire::SessionKey;

/// Ends sessions, whether they are here or not.
pub(super) fn end(
    transaction: &Transaction<'_>,
    ends: &[End],
    draft: &mut Draft<'_>,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let mut delete = transaction
        .prepare_cached("DELETE FROM sessions WHERE place = ?1 AND key = ?2 RETURNING user")?;
    let mut remember = transaction.prepare_cached(
        "INSERT INTO ends (until, key, why, at, expires_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for end in ends {
        let key = end.key.as_bytes();
        if let Some(place) = draft.session(&end.key)
            && let Some(user) =
                delete.query_row(params![place, key], |row| row.get(0)).optional()?
        {
            draft.removed(end.key, user);
        }
        let until = end.expires_at.min(now.plus(KEPT));
        if until > now && draft.end(end) {
            remember.execute(params![
                integer(until),
                key,
                end.ended.why.label(),
                integer(end.ended.at),
                integer(end.expires_at),
            ])?;
        }
    }
    Ok(())
}

/// Notes uses of sessions that are here.
pub(super) fn touch(
    transaction: &Transaction<'_>,
    uses: &HashMap<SessionKey, Usage>,
    draft: &Draft<'_>,
) -> rusqlite::Result<()> {
    let mut update = transaction.prepare_cached(
        "UPDATE sessions SET last_used = max(last_used, ?3), claimed = max(claimed, ?4)
         WHERE place = ?1 AND key = ?2",
    )?;
    for (key, usage) in uses {
        if let Some(place) = draft.session(key) {
            let last_used = integer(usage.last_used);
            update.execute(params![place, key.as_bytes(), last_used, usage.claimed])?;
        }
    }
    Ok(())
}

/// Adds sessions, each unless its key is taken.
pub(super) fn open(
    transaction: &Transaction<'_>,
    records: &[Arc<Record>],
    draft: &mut Draft<'_>,
) -> rusqlite::Result<Vec<Outcome>> {
    let mut insert = transaction.prepare_cached(
        "INSERT INTO sessions (place, key, user, last_used, claimed, body)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let mut outcomes = Vec::with_capacity(records.len());
    for record in records {
        let Some(place) = draft.place(&record.key) else {
            outcomes.push(Outcome::Taken);
            continue;
        };
        let user = match draft.user(&record.user) {
            At::Known(user) => user,
            At::New(user) => {
                let body = row::of_user(&record.user).map_err(unwritable)?;
                transaction
                    .prepare_cached("INSERT INTO users (place, body) VALUES (?1, ?2)")?
                    .execute(params![user, body])?;
                user
            }
        };
        let Usage { last_used, claimed } = record.usage;
        let body = row::of_session(record).map_err(unwritable)?;
        insert.execute(params![
            place,
            record.key.as_bytes(),
            user,
            integer(last_used),
            claimed,
            body
        ])?;
        draft.opened(record, place, user);
        outcomes.push(Outcome::Opened);
    }
    Ok(outcomes)
}

/// Forgets users without sessions, and ends that nothing can be brought back after.
/// Those are told.
pub(super) fn forget(
    transaction: &Transaction<'_>,
    draft: &Draft<'_>,
    now: Timestamp,
) -> rusqlite::Result<Vec<SessionKey>> {
    let mut forget = transaction.prepare_cached("DELETE FROM users WHERE place = ?1")?;
    for user in draft.forgotten() {
        forget.execute([user])?;
    }
    let mut delete =
        transaction.prepare_cached("DELETE FROM ends WHERE until <= ?1 RETURNING key")?;
    let over = delete.query_map([integer(now)], |row| row.get(0).map(SessionKey::from_bytes))?;
    over.collect()
}

/// The same for a file that was just opened, whatever is in it.
pub(super) fn tidy(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM users WHERE place NOT IN (SELECT user FROM sessions)", [])?;
    connection.execute("DELETE FROM ends WHERE until <= ?1", [integer(now)])?;
    Ok(())
}

fn unwritable(error: serde_json::Error) -> rusqlite::Error {
    rusqlite::Error::ToSqlConversionFailure(error.into())
}

/// SQLite has no unsigned integers; seconds never come near the border.
fn integer(time: Timestamp) -> i64 {
    i64::try_from(time.unix()).unwrap_or(i64::MAX)
}

/// One core uses the file: only what is on its way in this process, or in the cache of
/// a front, could bring a session back.
const KEPT: Duration = Duration::from_secs(300);

//! Rows become sessions again.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::database::{damaged, diagnose};
use super::index::Index;
use crate::clock::Timestamp;
use crate::core_server::store::row::{self, Unread};
use crate::core_server::store::{End, OpenError, Stored, Usage};
use crate::wire::{Ended, SessionKey};

/// All rows of a file of today's format, and where they are.
pub(super) fn everything(
    connection: &Connection,
    path: &Path,
) -> Result<(Stored, Index), OpenError> {
    let (mut stored, mut index) = (Stored::default(), Index::default());
    users(connection, path, &mut index)?;
    sessions(connection, path, &mut stored, &mut index)?;
    ends(connection, path, &mut stored, &mut index)?;
    Ok((stored, index))
}

fn users(connection: &Connection, path: &Path, index: &mut Index) -> Result<(), OpenError> {
    each(connection, path, "SELECT place, body FROM users", |row| {
        let place = row.get(0)?;
        let user = match row::read_user(row.get_ref(1)?.as_str()?) {
            Ok(user) => Some(Arc::new(user)),
            Err(Unread::Newer) => None,
            Err(Unread::Damaged(what)) => return Ok(Err(format!("user {place}: {what}"))),
        };
        index.add_user(place, user);
        Ok(Ok(()))
    })
}

fn sessions(
    connection: &Connection,
    path: &Path,
    stored: &mut Stored,
    index: &mut Index,
) -> Result<(), OpenError> {
    // A few peers open all sessions.
    let mut peers: HashSet<Arc<str>> = HashSet::new();
    let select = "SELECT place, key, user, last_used, claimed, body FROM sessions ORDER BY place";
    each(connection, path, select, |row| {
        let (place, key) = (row.get(0)?, SessionKey::from_bytes(row.get(1)?));
        let owner = row.get(2)?;
        index.add_session(&key, place, owner);
        let usage = Usage { last_used: time(row, 3)?, claimed: row.get(4)? };
        let user = match index.user(owner) {
            Some(Some(user)) => Arc::clone(user),
            Some(None) => {
                stored.skipped += 1;
                return Ok(Ok(()));
            }
            None => return Ok(Err("a session without a user".to_owned())),
        };
        let by = |text: &str| match peers.get(text) {
            Some(known) => Arc::clone(known),
            None => {
                let new: Arc<str> = text.into();
                peers.insert(Arc::clone(&new));
                new
            }
        };
        match row::read_session(row.get_ref(5)?.as_str()?, key, user, usage, by) {
            Ok(record) => stored.sessions.push(Arc::new(record)),
            Err(Unread::Newer) => stored.skipped += 1,
            Err(Unread::Damaged(what)) => return Ok(Err(format!("session {place}: {what}"))),
        }
        Ok(Ok(()))
    })
}

fn ends(
    connection: &Connection,
    path: &Path,
    stored: &mut Stored,
    index: &mut Index,
) -> Result<(), OpenError> {
    each(connection, path, "SELECT key, why, at, expires_at FROM ends ORDER BY at", |row| {
        let key = SessionKey::from_bytes(row.get(0)?);
        index.add_end(&key);
        // Whatever a newer version calls it, it has ended.
        if let Some(why) = row::ending(row.get_ref(1)?.as_str()?) {
            let ended = Ended { why, at: time(row, 2)? };
            stored.ends.push(End { key, ended, expires_at: time(row, 3)? });
        }
        Ok(Ok(()))
    })
}

/// Reads every row. The inner error says what is wrong with the content of one.
fn each(
    connection: &Connection,
    path: &Path,
    select: &str,
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<Result<(), String>>,
) -> Result<(), OpenError> {
    let wrong = |error| diagnose(path, error);
    let mut select = connection.prepare(select).map_err(wrong)?;
    let mut rows = select.query([]).map_err(wrong)?;
    while let Some(row) = rows.next().map_err(wrong)? {
        read(row).map_err(wrong)?.map_err(|what| damaged(path, what))?;
    }
    Ok(())
}

fn time(row: &Row<'_>, column: usize) -> rusqlite::Result<Timestamp> {
    let value: i64 = row.get(column)?;
    u64::try_from(value)
        .map(Timestamp::from_unix)
        .map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

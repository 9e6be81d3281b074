//! The tables, and how those of older versions become today's.
//!
//! `place` is a number within this file alone: rows are appended and found by it, so a
//! new session touches the last page of a table instead of a random one. `body` is a
//! row of `store::row`.

use rusqlite::Transaction;

/// What the file holds: `PRAGMA user_version`. 0 is an empty file.
pub(super) const FORMAT: i64 = 3;

/// Exclusive: two cores on one file would not hear of each other's sessions.
pub(super) const SETTINGS: &str = "PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = FULL;
PRAGMA wal_autocheckpoint = 4000;
BEGIN IMMEDIATE;
COMMIT;";

/// Makes the tables of a file of format `found` into today's.
pub(super) fn bring_up(transaction: &Transaction<'_>, found: i64) -> rusqlite::Result<()> {
    match found {
        FORMAT => return Ok(()),
        0 => transaction.execute_batch(TABLES)?,
        older => {
            if older == 1 {
                transaction.execute_batch(FROM_1)?;
            }
            transaction.execute_batch(SET_ASIDE)?;
            transaction.execute_batch(TABLES)?;
            transaction.execute_batch(FROM_2)?;
        }
    }
    transaction.pragma_update(None, "user_version", FORMAT)
}

const TABLES: &str = "CREATE TABLE users (
    place INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE sessions (
    place INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    user INTEGER NOT NULL,
    last_used INTEGER NOT NULL,
    claimed INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE TABLE ends (
    until INTEGER NOT NULL,
    key BLOB NOT NULL,
    why TEXT NOT NULL,
    at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (until, key)
) STRICT, WITHOUT ROWID;";

/// Format 1 did not know where sessions came from, nor by which key.
const FROM_1: &str = "ALTER TABLE sessions ADD COLUMN opened_by TEXT NOT NULL DEFAULT '';
ALTER TABLE sessions ADD COLUMN impersonator TEXT;
ALTER TABLE sessions ADD COLUMN client TEXT;
ALTER TABLE sessions ADD COLUMN public_key TEXT;";

const SET_ASIDE: &str = "ALTER TABLE users RENAME TO users_of_2;
ALTER TABLE sessions RENAME TO sessions_of_2;";

/// Format 2 had a column for each value, users as the API's JSON, and no ends.
const FROM_2: &str = "INSERT INTO users (place, body)
    SELECT id, json_set(body, '$.v', 1) FROM users_of_2;
INSERT INTO sessions (place, key, user, last_used, claimed, body)
    SELECT serial, key, user, last_used, claimed, json_object(
        'v', 1,
        'mechanism', mechanism,
        'principal', principal,
        'public_key', public_key,
        'channel_bound', json(iif(channel_bound, 'true', 'false')),
        'opened_at', opened_at,
        'expires_at', expires_at,
        'only_from', only_from,
        'opened_by', opened_by,
        'impersonator', impersonator,
        'client', client
    ) FROM sessions_of_2 ORDER BY serial;
DROP TABLE sessions_of_2;
DROP TABLE users_of_2;";

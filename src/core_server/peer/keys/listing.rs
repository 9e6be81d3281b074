//! The keys of `sslkeys_path` with what their entries say, for administrators.

use std::collections::BTreeMap;

use super::{KeyRules, Said};
use crate::clock::Timestamp;
use crate::config::section::{CoreKey, KeyRights};
use crate::wire::KeyFile;
use crate::wire::admin::{KeyEntry, KeyList, KeyRole, KeyState};

impl KeyRules {
    /// The files after this one, by their names, `at_most` so many. Looks at
    /// files, and so may block.
    pub(in crate::core_server) fn list(
        &self,
        after: Option<&str>,
        at_most: usize,
        now: Timestamp,
    ) -> KeyList {
        let listed = self.listed(now);
        let mut files = BTreeMap::new();
        for (fingerprint, key) in listed.with_fingerprint() {
            // As in a sign-on: under another name a key stays under its entry.
            let said = self.entries.of(fingerprint, &key.files);
            for file in &key.files {
                let row = KeyEntry {
                    algorithm: Some(key.algorithm.to_string()),
                    fingerprint: Some(fingerprint),
                    ..counting(file, &said)
                };
                files.insert(file.clone(), expired(row, now));
            }
        }
        for (file, skip) in listed.skipped() {
            let entry = self.entries.iter().find(|(name, _)| *name == file);
            let row = row(file, KeyState::Skipped, entry.map(|(_, entry)| entry));
            files.insert(file.clone(), KeyEntry { why: Some(skip.to_string()), ..row });
        }
        for (file, entry) in self.entries.iter() {
            let missing = || {
                let why = "a [[core.key]] names it, but it is not in sslkeys_path: put it there, or remove the entry";
                let row = row(file, KeyState::Missing, Some(entry));
                KeyEntry { why: Some(why.to_owned()), ..row }
            };
            files.entry(file.clone()).or_insert_with(missing);
        }
        let later = files.into_values().skip_while(|row| Some(row.file.as_str()) <= after);
        KeyList {
            folder: Some(self.folder.folder().display().to_string()),
            unreadable: listed.unreadable().map(str::to_owned),
            keys: later.take(at_most).collect(),
            next: None,
        }
    }
}

/// The row of a file that holds a key.
fn counting(file: &KeyFile, said: &Said<'_>) -> KeyEntry {
    match said {
        Said::Entry(entry) if entry.file == *file => row(file, KeyState::Listed, Some(entry)),
        Said::Entry(entry) => {
            let why =
                format!("the key still has the [[core.key]] of {}, its former name", entry.file);
            KeyEntry { why: Some(why), ..row(file, KeyState::Listed, Some(entry)) }
        }
        Said::System => {
            KeyEntry { role: KeyRole::System.into(), ..row(file, KeyState::Listed, None) }
        }
        Said::Nothing => {
            let why = "no [[core.key]] names it, so it may do nothing: give it one, or remove the \
                       file (keys_without_entry)";
            KeyEntry { why: Some(why.to_owned()), ..row(file, KeyState::Refused, None) }
        }
    }
}

fn row(file: &KeyFile, state: KeyState, entry: Option<&CoreKey>) -> KeyEntry {
    let (role, act_as) = match entry.map(|entry| &entry.rights) {
        None => (KeyRole::Nothing, Vec::new()),
        Some(KeyRights::System) => (KeyRole::System, Vec::new()),
        Some(KeyRights::Front) => (KeyRole::Front, Vec::new()),
        Some(KeyRights::Service(users)) => {
            (KeyRole::Service, users.iter().map(ToString::to_string).collect())
        }
    };
    let networks = entry.into_iter().flat_map(|entry| &entry.from);
    KeyEntry {
        file: file.clone(),
        state: state.into(),
        why: None,
        algorithm: None,
        fingerprint: None,
        role: role.into(),
        act_as,
        from: networks.map(ToString::to_string).collect(),
        not_after: entry.and_then(|entry| entry.not_after),
    }
}

fn expired(row: KeyEntry, now: Timestamp) -> KeyEntry {
    if row.not_after.is_none_or(|end| end >= now) {
        return row;
    }
    let why = "not_after of its [[core.key]] is past: set a later date, or remove the file";
    KeyEntry { state: KeyState::Expired.into(), why: Some(why.to_owned()), ..row }
}

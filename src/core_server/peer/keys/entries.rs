//! `[[core.key]]`: which entry a key has. An entry is for the name of a file, and remembers the
//! keys that it has seen under that name: a renamed key keeps its entry, and gets no other rights.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::ptr;
use std::sync::{Arc, PoisonError, RwLock};

use arc_swap::ArcSwapOption;

use crate::config::section::{self, CoreKey};
use crate::pki::peer::key_policy::Unfit;
use crate::pki::peer::peer_keys::{Listed, Skip};
use crate::wire::{Fingerprint, KeyFile};

/// The entries, and the keys that each has seen.
#[derive(Debug)]
pub(crate) struct KeyEntries {
    by_file: HashMap<KeyFile, CoreKey>,
    /// The file of the entry of each key.
    known: RwLock<HashMap<Fingerprint, KeyFile>>,
    /// What was looked through last.
    seen: ArcSwapOption<Listed>,
    others_are_system: bool,
}

/// What the settings say of a key.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// It has this entry.
    Entry(&'a CoreKey),
    /// It has none, and keys without one are SYSTEM.
    System,
    /// It has none, and counts for nothing.
    Nothing,
}

/// An entry that is of no use: nobody could tell which key it is about.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    /// There is no such file.
    #[error(
        "[[core.key]] names {file}, but there is no such file in {}{} Correct file, or remove the entry",
        folder.display(),
        nearest.as_ref().map_or_else(|| ".".to_owned(), |name| format!("; did you mean {name}?"))
    )]
    Missing {
        /// The file.
        file: KeyFile,
        /// `sslkeys_path`.
        folder: PathBuf,
        /// A file there with a name much like it.
        nearest: Option<KeyFile>,
    },
    /// The file holds nothing that can be compared with a client's key.
    #[error("[[core.key]] names {file} in {}, which cannot be used: {skip}", folder.display())]
    Useless {
        /// The file.
        file: KeyFile,
        /// `sslkeys_path`.
        folder: PathBuf,
        /// What is wrong with it.
        skip: Skip,
    },
    /// The folder cannot be read.
    #[error(
        "sslkeys_path {} cannot be read ({fault}), but [[core.key]] names files in it. Make the folder, and let the user that the core runs as read it",
        folder.display()
    )]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        fault: String,
    },
    /// Two entries for one key.
    #[error(
        "{one} and {other} in {} contain the same key, and each has a [[core.key]]. Remove one of the entries",
        folder.display()
    )]
    Twins {
        /// A file.
        one: KeyFile,
        /// The other.
        other: KeyFile,
        /// `sslkeys_path`.
        folder: PathBuf,
    },
}

impl KeyEntries {
    /// The entries of the settings.
    pub(crate) fn new(settings: &section::Core) -> Self {
        let entries = settings.keys.iter().map(|entry| (entry.file.clone(), entry.clone()));
        Self {
            by_file: entries.collect(),
            known: RwLock::default(),
            seen: ArcSwapOption::empty(),
            others_are_system: settings.keys_without_entry_are_system,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_file.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&KeyFile, &CoreKey)> {
        self.by_file.iter()
    }

    /// Whether each entry is about one key that stands there.
    ///
    /// # Errors
    /// See [`EntryError`].
    pub(crate) fn check(&self, listed: &Listed, folder: &Path) -> Result<(), EntryError> {
        let folder = || folder.to_owned();
        if let (Some(fault), false) = (listed.unreadable(), self.is_empty()) {
            return Err(EntryError::Folder { folder: folder(), fault: fault.to_owned() });
        }
        let held: HashMap<&KeyFile, Fingerprint> = listed
            .with_fingerprint()
            .flat_map(|(public_key, listed)| {
                listed.files.iter().map(move |file| (file, public_key))
            })
            .collect();
        let mut files: Vec<&KeyFile> = self.by_file.keys().collect();
        files.sort();
        let mut owners: HashMap<Fingerprint, &KeyFile> = HashMap::new();
        for file in files {
            match (held.get(file), listed.skipped().get(file)) {
                (Some(public_key), _) => {
                    if let Some(one) = owners.insert(*public_key, file) {
                        let (one, other) = (one.clone(), file.clone());
                        return Err(EntryError::Twins { one, other, folder: folder() });
                    }
                }
                // A weak key counts under no name.
                (None, Some(Skip::Unfit(Unfit::TooShort(_) | Unfit::UnknownAlgorithm(_)))) => {}
                (None, Some(skip)) => {
                    let (file, skip) = (file.clone(), skip.clone());
                    return Err(EntryError::Useless { file, folder: folder(), skip });
                }
                (None, None) => {
                    let nearest = self.nearest(file, held.keys().copied());
                    let file = file.clone();
                    return Err(EntryError::Missing { file, folder: folder(), nearest });
                }
            }
        }
        Ok(())
    }

    /// The file without an entry whose name is most like this one.
    fn nearest<'a>(
        &self,
        file: &KeyFile,
        held: impl Iterator<Item = &'a KeyFile>,
    ) -> Option<KeyFile> {
        let likeness = |name: &KeyFile| strsim::jaro_winkler(file.as_str(), name.as_str());
        held.filter(|name| !self.by_file.contains_key(*name) && likeness(name) > LIKE)
            .max_by(|one, other| likeness(one).total_cmp(&likeness(other)))
            .cloned()
    }

    /// Remembers the keys that stand under the names of entries.
    pub(super) fn learn(&self, listed: &Arc<Listed>) {
        let seen = self.seen.load();
        if self.is_empty() || seen.as_ref().is_some_and(|seen| ptr::eq(&**seen, &**listed)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (public_key, listed) in listed.with_fingerprint() {
            let named = listed.files.iter().find(|file| self.by_file.contains_key(*file));
            if let Some(file) = named
                && !known.contains_key(&public_key)
            {
                known.insert(public_key, file.clone());
            }
        }
        drop(known);
        self.seen.store(Some(Arc::clone(listed)));
    }

    /// Keys that the former settings knew keep their entries, where these still stand.
    pub(super) fn carry_over(&self, former: &Self) {
        let former = former.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for (public_key, file) in former.iter().filter(|(_, file)| self.by_file.contains_key(*file))
        {
            known.entry(*public_key).or_insert_with(|| file.clone());
        }
    }

    /// What the settings say of a key that is in `files`.
    pub(super) fn of(&self, public_key: Fingerprint, files: &[KeyFile]) -> Said<'_> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let remembered = known.get(&public_key).and_then(|file| self.by_file.get(file));
        // A copy under another name must not free a key from its entry.
        let entry = remembered.or_else(|| files.iter().find_map(|file| self.by_file.get(file)));
        match (entry, self.others_are_system) {
            (Some(entry), _) => Said::Entry(entry),
            (None, true) => Said::System,
            (None, false) => Said::Nothing,
        }
    }
}

/// From here on two names are so much alike that one may be a slip of the pen.
const LIKE: f64 = 0.85;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::config::section::KeyRights;
    use crate::pki::file::openssl::{Key, public_key_pem};
    use crate::pki::peer::peer_keys::PeerKeys;
    use std::fs;

    fn entries(files: &[&str], others_are_system: bool) -> KeyEntries {
        let entry = |file: &&str| CoreKey {
            file: file.parse().unwrap(),
            rights: KeyRights::Front,
            from: Vec::new(),
            not_after: None,
        };
        KeyEntries {
            by_file: files.iter().map(|file| (file.parse().unwrap(), entry(file))).collect(),
            known: RwLock::default(),
            seen: ArcSwapOption::empty(),
            others_are_system,
        }
    }

    fn put(folder: &Path, name: &str) {
        let made = tempfile::tempdir().unwrap();
        fs::write(folder.join(name), public_key_pem(made.path(), Key::Ec("P-256"))).unwrap();
    }

    fn key_of(listed: &Listed, file: &str) -> (Fingerprint, Vec<KeyFile>) {
        let mut keys = listed.with_fingerprint();
        let found =
            keys.find(|(_, key)| key.files.iter().any(|name| name.as_str() == file)).unwrap();
        (found.0, found.1.files.clone())
    }

    #[test]
    fn an_entry_is_about_a_key_that_is_there_or_the_error_says_what_is_there_instead() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "nu-bert-public.pem");
        put(folder.path(), "other-public.pem");
        fs::write(folder.path().join("note.pem"), "no key").unwrap();
        fs::copy(folder.path().join("other-public.pem"), folder.path().join("copy.pem")).unwrap();
        let listed = PeerKeys::new(folder.path().to_owned()).current(clock::now());
        for (files, words) in [
            (&["nu-bert-public.pem"][..], None),
            (&[], None),
            (&["nu-bret-public.pem"], Some("did you mean nu-bert-public.pem? Correct file")),
            (&["zzz"], Some("there is no such file in")),
            (&["note.pem"], Some("note.pem in")),
            (&["copy.pem", "other-public.pem"], Some("contain the same key")),
        ] {
            let judged = entries(files, false).check(&listed, folder.path());
            let said = judged.err().map(|error| error.to_string());
            match (&said, words) {
                (None, None) => {}
                (Some(said), Some(words)) => assert!(said.contains(words), "{said}"),
                _ => panic!("{files:?}: {said:?}"),
            }
        }
        let nowhere = PeerKeys::new(folder.path().join("none")).current(clock::now());
        let judged = entries(&["a.pem"], false).check(&nowhere, folder.path());
        assert!(matches!(judged, Err(EntryError::Folder { .. })));
        assert!(entries(&[], true).check(&nowhere, folder.path()).is_ok());
    }

    #[test]
    fn a_key_keeps_its_entry_under_every_other_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        put(folder.path(), "a.pem");
        put(folder.path(), "b.pem");
        let keys = PeerKeys::new(folder.path().to_owned());
        let entries = entries(&["a.pem", "b.pem"], true);
        let listed = keys.current(clock::now());
        entries.learn(&listed);
        let (key_a, _) = key_of(&listed, "a.pem");
        let of = |entries: &KeyEntries, files: &[&str]| {
            let files: Vec<_> = files.iter().map(|file| file.parse().unwrap()).collect();
            match entries.of(key_a, &files) {
                Said::Entry(entry) => entry.file.to_string(),
                other => format!("{other:?}"),
            }
        };
        fs::rename(path("a.pem"), path("c.pem")).unwrap();
        entries.learn(&keys.current(clock::now()));
        assert_eq!(of(&entries, &["c.pem"]), "a.pem");
        // In the place of another key, it does not get that one's rights.
        fs::rename(path("c.pem"), path("b.pem")).unwrap();
        entries.learn(&keys.current(clock::now()));
        assert_eq!(of(&entries, &["b.pem"]), "a.pem");
        let fresh = crate::core_server::peer::keys::entries::tests::entries(&["a.pem"], true);
        assert_eq!(of(&fresh, &["b.pem"]), "System");
        fresh.carry_over(&entries);
        assert_eq!(of(&fresh, &["b.pem"]), "a.pem");
        let without = crate::core_server::peer::keys::entries::tests::entries(&[], true);
        without.carry_over(&entries);
        assert_eq!(of(&without, &["b.pem"]), "System", "the entry was taken out");
        assert_eq!(
            of(&crate::core_server::peer::keys::entries::tests::entries(&["x"], false), &["b.pem"]),
            "Nothing"
        );
    }
}

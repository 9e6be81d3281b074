//! `sslkeys_path`: the folder with the public keys of those who may come.
//!
//! A key stands there as PEM SubjectPublicKeyInfo (`NAME-public.pem`), or as
//! the certificate it is in. The folder is looked at for every request, so a
//! file that is put in or taken out counts at once: two system calls and one
//! for each file, as long as nothing has changed.

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, SubjectPublicKeyInfoDer};

use super::fitness::{self, Unfit};
use super::stamp::Stamp;
use super::{Algorithm, PublicKey};
use crate::clock::Timestamp;

/// The folder.
#[derive(Debug)]
pub struct PeerKeys {
    folder: PathBuf,
    listed: RwLock<Arc<Listed>>,
}

/// What stood in the folder at one moment.
#[derive(Debug, Default)]
pub struct Listed {
    folder: Option<Stamp>,
    files: BTreeMap<OsString, Option<Stamp>>,
    settled: bool,
    keys: HashMap<Vec<u8>, ListedKey>,
    skipped: BTreeMap<String, Skip>,
    removed: HashMap<Vec<u8>, String>,
    unreadable: Option<String>,
}

/// A key of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedKey {
    /// The names of the files that hold it, in order: one, by good habit.
    pub files: Vec<String>,
    /// What it is.
    pub algorithm: Algorithm,
}

/// Whether a public key is in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is.
    Listed(ListedKey),
    /// It was, in this file, since this process began to look.
    Removed(String),
    /// It is not.
    Unlisted,
}

/// Why a file of the folder is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    /// The system refuses.
    #[error("it cannot be read: {0}; let the user that Doorward runs as read it")]
    Unreadable(String),
    /// Larger than any key.
    #[error("it is larger than 64 KB, and no key; move it out of the folder")]
    TooLarge,
    /// Neither a public key nor a certificate.
    #[error("it holds no public key (-----BEGIN PUBLIC KEY-----) and no certificate in PEM")]
    NoKey,
    /// A private key has no business here.
    #[error(
        "it holds a private key and no public one; put it elsewhere at once, and only the output of `openssl pkey -pubout` here"
    )]
    PrivateKey,
    /// The key cannot be used.
    #[error("{0}")]
    Unfit(#[from] Unfit),
}

impl PeerKeys {
    /// The keys of a folder. It may come into being later.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, listed: RwLock::default() }
    }

    /// What stands in the folder now. Blocks as file systems do.
    pub fn current(&self, now: Timestamp) -> Arc<Listed> {
        let held = Arc::clone(&self.listed.read().unwrap_or_else(PoisonError::into_inner));
        if held.is_still_so(&self.folder) {
            return held;
        }
        // One reads; whoever else came meanwhile finds what it read.
        let mut listed = self.listed.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&listed, &held) && listed.is_still_so(&self.folder) {
            return Arc::clone(&listed);
        }
        let fresh = Arc::new(Listed::read(&self.folder, now, &listed));
        fresh.tell(&self.folder, &listed);
        *listed = Arc::clone(&fresh);
        fresh
    }
}

impl Listed {
    /// Whether a key, in SubjectPublicKeyInfo DER, is in the folder.
    pub fn standing(&self, spki: &[u8]) -> Standing {
        if let Some(key) = self.keys.get(spki) {
            return Standing::Listed(key.clone());
        }
        self.removed.get(spki).map_or(Standing::Unlisted, |file| Standing::Removed(file.clone()))
    }

    /// The keys, in no order.
    pub fn keys(&self) -> impl Iterator<Item = &ListedKey> {
        self.keys.values()
    }

    /// Files that are not looked at, and why.
    pub const fn skipped(&self) -> &BTreeMap<String, Skip> {
        &self.skipped
    }

    /// Why the folder itself cannot be read.
    pub fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    fn is_still_so(&self, folder: &Path) -> bool {
        self.settled
            && Stamp::of(folder) == self.folder
            && self.files.iter().all(|(name, stamp)| Stamp::of(&folder.join(name)) == *stamp)
    }

    fn read(folder: &Path, now: Timestamp, before: &Self) -> Self {
        let mut fresh = Self { folder: Stamp::of(folder), ..Self::default() };
        let names = match names(folder) {
            Ok(names) => names,
            Err(error) => {
                fresh.unreadable = Some(error.to_string());
                Vec::new()
            }
        };
        for name in names {
            fresh.add(folder, name);
        }
        fresh.remember_removed(before);
        let mut stamps = fresh.files.values().flatten().chain(&fresh.folder);
        fresh.settled = fresh.folder.is_some() && stamps.all(|stamp| stamp.is_settled(now));
        fresh
    }

    fn add(&mut self, folder: &Path, name: OsString) {
        let path = folder.join(&name);
        let stamp = Stamp::of(&path);
        let shown = name.to_string_lossy().into_owned();
        self.files.insert(name, stamp);
        if path.is_dir() {
            return;
        }
        match read_key(&path) {
            Ok(key) => {
                let algorithm = key.algorithm().clone();
                let listed = self.keys.entry(key.spki().to_vec());
                listed.or_insert(ListedKey { files: Vec::new(), algorithm }).files.push(shown);
            }
            Err(skip) => {
                self.skipped.insert(shown, skip);
            }
        }
    }

    fn remember_removed(&mut self, before: &Self) {
        let gone = before.keys.iter().filter_map(|(spki, key)| Some((spki, key.files.first()?)));
        let gone = gone.chain(&before.removed).filter(|(spki, _)| !self.keys.contains_key(*spki));
        self.removed =
            gone.map(|(spki, file)| (spki.clone(), file.clone())).take(REMEMBERED).collect();
    }

    /// Says in the log what has changed: each skipped file once.
    fn tell(&self, folder: &Path, before: &Self) {
        let folder = folder.display();
        if let Some(error) =
            self.unreadable.as_ref().filter(|_| self.unreadable != before.unreadable)
        {
            tracing::error!(%folder, error, "sslkeys_path cannot be read: no client certificate counts");
        }
        for (file, skip) in &self.skipped {
            if before.skipped.get(file) != Some(skip) {
                tracing::warn!(%folder, file, "a file in sslkeys_path is skipped: {skip}");
            }
        }
        for key in self.keys.values().filter(|key| key.files.len() > 1) {
            if !before.keys.values().any(|known| known == key) {
                tracing::warn!(%folder, files = key.files.join(", "), "one key stands in several files of sslkeys_path");
            }
        }
    }
}

fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(folder)?.take(MOST_FILES);
    let mut names =
        entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Vec<OsString>>>()?;
    names.sort();
    Ok(names)
}

/// The first public key or certificate of a file.
fn read_key(path: &Path) -> Result<PublicKey, Skip> {
    let unreadable = |error: io::Error| Skip::Unreadable(error.to_string());
    let metadata = fs::metadata(path).map_err(unreadable)?;
    if !metadata.is_file() {
        // A pipe would keep whoever opens it waiting.
        return Err(Skip::NoKey);
    }
    if metadata.len() > LARGEST {
        return Err(Skip::TooLarge);
    }
    let text = fs::read(path).map_err(unreadable)?;
    match SubjectPublicKeyInfoDer::from_pem_slice(&text) {
        Ok(spki) => Ok(fitness::key(&spki)?),
        Err(pem::Error::NoItemsFound) => match CertificateDer::from_pem_slice(&text) {
            Ok(certificate) => Ok(fitness::key_of_certificate(&certificate)?),
            Err(_) if holds(&text, b"PRIVATE KEY-----") => Err(Skip::PrivateKey),
            Err(pem::Error::NoItemsFound) => Err(Skip::NoKey),
            Err(_) => Err(Unfit::Damaged.into()),
        },
        Err(_) => Err(Unfit::Damaged.into()),
    }
}

fn holds(text: &[u8], words: &[u8]) -> bool {
    text.windows(words.len()).any(|window| window == words)
}

/// No key comes near.
const LARGEST: u64 = 64 << 10;
/// Files beyond this number are not looked at.
const MOST_FILES: usize = 10_000;
/// Removed keys that are still known to have been there.
const REMEMBERED: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::pki::openssl::{Key, issue, make_ca, make_key, public_key};
    use std::time::Duration;

    fn look(keys: &PeerKeys) -> Arc<Listed> {
        keys.current(clock::now())
    }

    fn listed(files: &[&str], algorithm: Algorithm) -> Standing {
        let files = files.iter().map(ToString::to_string).collect();
        Standing::Listed(ListedKey { files, algorithm })
    }

    #[test]
    fn a_key_counts_from_the_moment_its_file_is_there_until_it_is_gone() {
        let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let spki = public_key(made.path(), Key::Ec("P-256"));
        let keys = PeerKeys::new(folder.path().join("sslkeys"));
        assert!(look(&keys).unreadable().is_some());
        fs::create_dir(folder.path().join("sslkeys")).unwrap();
        let file = folder.path().join("sslkeys/one-public.pem");
        for _ in 0..3 {
            let before = look(&keys).standing(&spki);
            assert!(!matches!(before, Standing::Listed(_)), "{before:?}");
            fs::copy(made.path().join("one-public.pem"), &file).unwrap();
            assert_eq!(
                look(&keys).standing(&spki),
                listed(&["one-public.pem"], Algorithm::Ecdsa("P-256".to_owned()))
            );
            fs::remove_file(&file).unwrap();
            let gone = Standing::Removed("one-public.pem".to_owned());
            assert_eq!(look(&keys).standing(&spki), gone);
        }
    }

    #[test]
    fn another_key_in_the_same_file_counts_at_once() {
        let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let keys = PeerKeys::new(folder.path().to_owned());
        for _ in 0..3 {
            let spki = public_key(made.path(), Key::Named("ED25519"));
            fs::copy(made.path().join("one-public.pem"), folder.path().join("a.pem")).unwrap();
            assert_eq!(look(&keys).standing(&spki), listed(&["a.pem"], Algorithm::Ed25519));
        }
    }

    #[test]
    fn a_folder_that_rests_is_not_read_again() {
        let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        make_key(made.path(), "one", Key::Named("ED25519"));
        fs::copy(made.path().join("one-public.pem"), folder.path().join("a.pem")).unwrap();
        let keys = PeerKeys::new(folder.path().to_owned());
        let later = clock::now().plus(Duration::from_secs(10));
        let first = keys.current(later);
        assert!(Arc::ptr_eq(&first, &keys.current(later)));
        assert!(!Arc::ptr_eq(&look(&PeerKeys::new(folder.path().to_owned())), &first));
    }

    #[test]
    fn certificates_are_read_for_their_key_and_one_key_may_have_two_names() {
        let folder = tempfile::tempdir().unwrap();
        let made = tempfile::tempdir().unwrap();
        make_ca(made.path(), "ca");
        let spki = public_key(made.path(), Key::Rsa(2048));
        issue(made.path(), "ca", "one", "basicConstraints=CA:FALSE", &[]);
        fs::copy(made.path().join("one.pem"), folder.path().join("b.pem")).unwrap();
        fs::copy(made.path().join("one-public.pem"), folder.path().join("a.pem")).unwrap();
        let keys = PeerKeys::new(folder.path().to_owned());
        assert_eq!(look(&keys).standing(&spki), listed(&["a.pem", "b.pem"], Algorithm::Rsa(2048)));
    }

    #[test]
    fn other_files_are_skipped_with_their_reason() {
        let (made, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let put = |name: &str, text: &[u8]| fs::write(folder.path().join(name), text).unwrap();
        make_key(made.path(), "weak", Key::Rsa(1024));
        make_key(made.path(), "odd", Key::Named("ED448"));
        put("README", b"keys go here");
        put("large", &vec![b'x'; 70_000]);
        put("broken.pem", b"-----BEGIN PUBLIC KEY-----\n!\n-----END PUBLIC KEY-----\n");
        put("der.pem", b"-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----\n");
        for (name, file) in
            [("weak", "weak-public.pem"), ("odd", "odd-public.pem"), ("key", "weak.key")]
        {
            fs::copy(made.path().join(file), folder.path().join(name)).unwrap();
        }
        fs::create_dir(folder.path().join("old")).unwrap();
        nix::unistd::mkfifo(&folder.path().join("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        std::os::unix::fs::symlink("nowhere", folder.path().join("dangling")).unwrap();
        let listed = look(&PeerKeys::new(folder.path().to_owned()));
        let said: Vec<(&str, &str)> = listed
            .skipped()
            .iter()
            .map(|(file, skip)| {
                (
                    file.as_str(),
                    match skip {
                        Skip::Unreadable(_) => "unreadable",
                        Skip::TooLarge => "large",
                        Skip::NoKey => "no key",
                        Skip::PrivateKey => "private",
                        Skip::Unfit(Unfit::TooShort(1024)) => "short",
                        Skip::Unfit(Unfit::UnknownAlgorithm(_)) => "unknown",
                        Skip::Unfit(_) => "damaged",
                    },
                )
            })
            .collect();
        assert_eq!(
            said,
            [
                ("README", "no key"),
                ("broken.pem", "damaged"),
                ("dangling", "unreadable"),
                ("der.pem", "damaged"),
                ("key", "private"),
                ("large", "large"),
                ("odd", "unknown"),
                ("pipe", "no key"),
                ("weak", "short"),
            ]
        );
        assert_eq!(listed.keys().count(), 0);
    }
}

//! `sslkeys_path`: the folder with the public keys of peers and users.
//!
//! A key is there as PEM SubjectPublicKeyInfo (`NAME-public.pem`), or in a certificate. The folder
//! is checked for every request, so a new or removed file takes effect at once. While nothing
//! changes that costs two system calls, and once a second one for each file.

use std::collections::{BTreeMap, HashMap};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::{fs, io};

use secrecy::{ExposeSecret as _, SecretSlice};

use super::key_policy::{self, Unfit};
use crate::clock::Timestamp;
use crate::pki::file::pem::{self, PemError};
use crate::pki::{Algorithm, PublicKey};
use crate::process::files::stamp::FileStamp;
use crate::wire::{Fingerprint, KeyFile};

#[cfg(test)]
mod tests;

#[derive(Debug)]
pub(crate) struct PeerKeys {
    folder: PathBuf,
    listed: RwLock<Arc<Listed>>,
}

/// What stood in the folder at one moment.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    folder: Option<FileStamp>,
    files: BTreeMap<OsString, Option<FileStamp>>,
    settled: bool,
    /// The second in which all files were last looked at.
    looked: AtomicU64,
    keys: HashMap<Fingerprint, ListedKey>,
    skipped: BTreeMap<KeyFile, Skip>,
    removed: HashMap<Fingerprint, KeyFile>,
    unreadable: Option<String>,
}

/// A key of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedKey {
    /// The files that hold it, in order: usually one, never none.
    pub files: Vec<KeyFile>,
    pub algorithm: Algorithm,
}

/// Whether a public key is in the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    Listed(ListedKey),
    /// It was, in this file, since this process began to look.
    Removed(KeyFile),
    Unlisted,
}

/// Why a file of the folder is not looked at.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Skip {
    #[error("it cannot be read: {0}; let the user that Doorward runs as read it")]
    Unreadable(String),
    /// Larger than any key.
    #[error("it is larger than 64 KB, so it is not a key; move it out of the folder")]
    TooLarge,
    /// Neither a public key nor a certificate.
    #[error("it contains no public key (-----BEGIN PUBLIC KEY-----) and no certificate in PEM")]
    NoKey,
    /// A private key has no business here.
    #[error(
        "it contains a private key and no public one; move it elsewhere at once, and put only the output of `openssl pkey -pubout` here"
    )]
    PrivateKey,
    /// A block of it is damaged.
    #[error("{0}; export it again as PEM")]
    Damaged(#[from] PemError),
    /// The key cannot be used.
    #[error("{0}")]
    Unfit(#[from] Unfit),
}

impl PeerKeys {
    /// The keys of a folder. It may come into being later.
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder, listed: RwLock::default() }
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What is in the folder now, as far as it concerns one key. Blocks as file
    /// systems do.
    ///
    /// Names that come and go change the folder itself, so beside that only the
    /// key's own files need to be looked at; the others are once a second, for
    /// what is written into them in place.
    pub(crate) fn current_for(&self, public_key: Fingerprint, now: Timestamp) -> Arc<Listed> {
        let held = Arc::clone(&self.listed.read().unwrap_or_else(PoisonError::into_inner));
        let looked = held.looked.load(Ordering::Relaxed) == now.unix();
        if looked && held.is_still_so_for(public_key, &self.folder) {
            held
        } else {
            self.current(now)
        }
    }

    /// What is in the folder now. Blocks as file systems do.
    pub(crate) fn current(&self, now: Timestamp) -> Arc<Listed> {
        let held = Arc::clone(&self.listed.read().unwrap_or_else(PoisonError::into_inner));
        if held.is_still_so(&self.folder) {
            held.looked.store(now.unix(), Ordering::Relaxed);
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
    /// Whether a key is in the folder.
    pub(crate) fn listing(&self, public_key: Fingerprint) -> Listing {
        if let Some(listed) = self.keys.get(&public_key) {
            return Listing::Listed(listed.clone());
        }
        let removed = self.removed.get(&public_key);
        removed.map_or(Listing::Unlisted, |file| Listing::Removed(file.clone()))
    }

    /// The keys, in no order.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &ListedKey> {
        self.keys.values()
    }

    /// The listed keys, with their fingerprints.
    pub(crate) fn with_fingerprint(&self) -> impl Iterator<Item = (Fingerprint, &ListedKey)> {
        self.keys.iter().map(|(fingerprint, key)| (*fingerprint, key))
    }

    /// Files that are not looked at, and why.
    pub(crate) const fn skipped(&self) -> &BTreeMap<KeyFile, Skip> {
        &self.skipped
    }

    /// Why the folder itself cannot be read.
    pub(crate) fn unreadable(&self) -> Option<&str> {
        self.unreadable.as_deref()
    }

    fn is_still_so(&self, folder: &Path) -> bool {
        self.settled
            && FileStamp::of(folder) == self.folder
            && self.files.iter().all(|(name, stamp)| FileStamp::of(&folder.join(name)) == *stamp)
    }

    fn is_still_so_for(&self, public_key: Fingerprint, folder: &Path) -> bool {
        let Some(key) = self.keys.get(&public_key) else { return false };
        let same = |file: &KeyFile| {
            let stamp = self.files.get(OsStr::new(file.as_str())).copied().flatten();
            stamp.is_some() && stamp == FileStamp::of(&folder.join(file))
        };
        self.settled && FileStamp::of(folder) == self.folder && key.files.iter().all(same)
    }

    fn read(folder: &Path, now: Timestamp, before: &Self) -> Self {
        let looked = AtomicU64::new(now.unix());
        let mut fresh = Self { folder: FileStamp::of(folder), looked, ..Self::default() };
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
        let stamp = FileStamp::of(&path);
        let file = KeyFile::of_entry(&name);
        self.files.insert(name, stamp);
        if path.is_dir() {
            return;
        }
        match read_key(&path) {
            Ok(key) => {
                let algorithm = key.algorithm().clone();
                let listed = self.keys.entry(key.fingerprint());
                listed.or_insert(ListedKey { files: Vec::new(), algorithm }).files.push(file);
            }
            Err(skip) => {
                self.skipped.insert(file, skip);
            }
        }
    }

    fn remember_removed(&mut self, before: &Self) {
        let gone = before
            .keys
            .iter()
            .filter_map(|(fingerprint, listed)| Some((fingerprint, listed.files.first()?)))
            .chain(&before.removed)
            .filter(|(fingerprint, _)| !self.keys.contains_key(*fingerprint));
        self.removed =
            gone.map(|(fingerprint, file)| (*fingerprint, file.clone())).take(REMEMBERED).collect();
    }

    /// Says in the log what has changed: each skipped file once.
    fn tell(&self, folder: &Path, before: &Self) {
        let folder = folder.display();
        if let Some(error) =
            self.unreadable.as_ref().filter(|_| self.unreadable != before.unreadable)
        {
            tracing::error!(%folder, error, "sslkeys_path cannot be read: no client certificate is accepted");
        }
        for (file, skip) in &self.skipped {
            if before.skipped.get(file) != Some(skip) {
                tracing::warn!(%folder, file = file.as_str(), "a file in sslkeys_path is skipped: {skip}");
            }
        }
        for key in self.keys.values().filter(|key| key.files.len() > 1) {
            if !before.keys.values().any(|known| known == key) {
                tracing::warn!(%folder, files = key.files.join(", "), "several files in sslkeys_path contain the same key");
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
    // Somebody may have put a private key there.
    let text = SecretSlice::from(fs::read(path).map_err(unreadable)?);
    let blocks = pem::blocks(text.expose_secret())?;
    let first = |label| blocks.iter().find(|block| block.label == label);
    if let Some(key) = first(pem::PUBLIC_KEY) {
        return Ok(key_policy::key(key.der.expose_secret())?);
    }
    if let Some(certificate) = first(pem::CERTIFICATE) {
        return Ok(key_policy::key_of_certificate(certificate.der.expose_secret())?);
    }
    match blocks.iter().any(pem::Block::is_private_key) {
        true => Err(Skip::PrivateKey),
        false => Err(Skip::NoKey),
    }
}

/// No key comes near.
const LARGEST: u64 = 64 << 10;
/// Files beyond this number are not looked at.
const MOST_FILES: usize = 10_000;
/// Removed keys that are still known to have been there.
const REMEMBERED: usize = 1_000;

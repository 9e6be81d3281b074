//! Keytab files (MIT format 0x0502), read for messages and checks. Key bytes are skipped and never
//! kept; the library accepts tickets.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use format::Flaw;

use crate::clock::Timestamp;
use crate::process::files::access::{self, Unreadable};
use crate::process::files::rights::Need;

mod format;
mod sole_realm;

pub(crate) use sole_realm::SoleRealm;

/// What a keytab holds, without the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keytab {
    /// Its entries, as they stand in the file.
    pub entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// Whose key, in display form: `HTTP/web.example@EXAMPLE`.
    pub principal: String,
    /// The realm of the principal.
    pub realm: String,
    /// The version of the key: it grows when the account's password changes.
    pub kvno: u32,
    /// What the key encrypts with.
    pub enctype: Enctype,
    /// When it was written.
    pub written: Timestamp,
}

/// An encryption type, by its number (IANA "Kerberos Encryption Type Numbers").
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Enctype(pub u16);

/// Why a keytab cannot be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeytabError {
    /// There is no such file.
    #[error("{path} does not exist; export a keytab for this service to it, or correct keytab in [sso.kerberos]", path = .0.display())]
    Missing(PathBuf),
    /// There is one, for others.
    #[error(transparent)]
    Unreadable(Unreadable),
    /// Reading failed in another way.
    #[error("{path}, read by uid {uid}: {error}", path = path.display(), uid = nix::unistd::geteuid())]
    Io {
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is something else.
    #[error("{path} is not a keytab: {what}", path = path.display())]
    NotAKeytab {
        path: PathBuf,
        /// How one can tell.
        what: &'static str,
    },
    /// It ends in the middle of an entry.
    #[error("{path} is cut off or damaged: an entry ends at offset {offset}; export it again", path = path.display())]
    Truncated {
        path: PathBuf,
        /// Where its entry ends too early.
        offset: usize,
    },
}

/// Reads the keytab at `path`.
///
/// # Errors
/// Says whether it is missing, for others, no keytab, or damaged.
pub(crate) fn read(path: &Path) -> Result<Keytab, KeytabError> {
    let bytes = load(path)?;
    format::parse(&bytes).map_err(|flaw| match flaw {
        Flaw::NotAKeytab(what) => KeytabError::NotAKeytab { path: path.to_owned(), what },
        Flaw::Truncated(offset) => KeytabError::Truncated { path: path.to_owned(), offset },
    })
}

/// A keytab as far as it is whole.
#[derive(Debug)]
pub(crate) struct Whole {
    /// The keys before the flaw; all of them where there is none.
    pub keytab: Keytab,
    /// Where it is cut off or damaged.
    pub flaw: Option<KeytabError>,
}

/// Reads the keytab at `path` as far as the Kerberos library does, which uses what stands
/// before a damaged entry.
///
/// # Errors
/// As [`read`], apart from [`KeytabError::Truncated`].
pub(crate) fn read_what_is_whole(path: &Path) -> Result<Whole, KeytabError> {
    let (keytab, ends) = format::parse_what_is_whole(&load(path)?)
        .map_err(|what| KeytabError::NotAKeytab { path: path.to_owned(), what })?;
    let flaw = ends.map(|offset| KeytabError::Truncated { path: path.to_owned(), offset });
    Ok(Whole { keytab, flaw })
}

impl Keytab {
    /// The realms of its principals, sorted, each once.
    pub(crate) fn realms(&self) -> Vec<&str> {
        let realms: BTreeSet<_> = self.entries.iter().map(|entry| entry.realm.as_str()).collect();
        realms.into_iter().collect()
    }

    /// Its principals, sorted, each once.
    pub(crate) fn principals(&self) -> Vec<&str> {
        principals(&self.entries)
    }

    /// Those of them that a service is called by: `HTTP/host@REALM`, or `HTTP/host` for
    /// every realm.
    pub(crate) fn principals_of(&self, service: &str) -> Vec<&str> {
        principals(self.keys_for(service))
    }

    /// The keys of `principal`: `HTTP/host@REALM`, or `HTTP/host` for every realm.
    pub(crate) fn keys_for(&self, principal: &str) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.is_for(principal)).collect()
    }

    /// Whether `principal` has keys, and all of them are RC4, which domain
    /// controllers do not use any more (CVE-2026-20833).
    pub(crate) fn only_rc4(&self, principal: &str) -> bool {
        let keys = self.keys_for(principal);
        !keys.is_empty() && keys.iter().all(|entry| entry.enctype.is_rc4())
    }
}

fn principals<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> Vec<&'a str> {
    let names: BTreeSet<_> = entries.into_iter().map(|entry| entry.principal.as_str()).collect();
    names.into_iter().collect()
}

impl Entry {
    /// Whether it is of `principal`, which may leave out the realm.
    fn is_for(&self, principal: &str) -> bool {
        match self.principal.strip_prefix(principal) {
            Some("") => true,
            Some(rest) => rest.strip_prefix('@') == Some(self.realm.as_str()),
            None => false,
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} kvno {} {}", self.principal, self.kvno, self.enctype)
    }
}

impl Enctype {
    /// Whether it is RC4 (RFC 4757).
    pub(crate) const fn is_rc4(self) -> bool {
        matches!(self.0, 23 | 24)
    }
}

impl fmt::Display for Enctype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            1 => "des-cbc-crc",
            2 => "des-cbc-md4",
            3 => "des-cbc-md5",
            16 => "des3-cbc-sha1",
            17 => "aes128-cts-hmac-sha1-96",
            18 => "aes256-cts-hmac-sha1-96",
            19 => "aes128-cts-hmac-sha256-128",
            20 => "aes256-cts-hmac-sha384-192",
            23 => "arcfour-hmac",
            24 => "arcfour-hmac-exp",
            25 => "camellia128-cts-cmac",
            26 => "camellia256-cts-cmac",
            other => return write!(f, "etype {other}"),
        })
    }
}

fn load(path: &Path) -> Result<Vec<u8>, KeytabError> {
    let io = |error| KeytabError::Io { path: path.to_owned(), error };
    let refused = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => KeytabError::Missing(path.to_owned()),
        io::ErrorKind::PermissionDenied => {
            KeytabError::Unreadable(access::explain(path, Need::Read))
        }
        _ => io(error),
    };
    let facts = std::fs::metadata(path).map_err(refused)?;
    if !facts.is_file() {
        let what = "it is not a regular file";
        return Err(KeytabError::NotAKeytab { path: path.to_owned(), what });
    }
    let file = std::fs::File::open(path).map_err(refused)?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

/// Far more than any keytab has; a wrong path must not fill the memory.
const MAX_FILE: u64 = 16 * 1024 * 1024;

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    #[test]
    fn keys_are_found_by_name_with_and_without_realm() {
        let keytab = example();
        assert_eq!(keytab.keys_for("HTTP/web@EXAMPLE").len(), 2);
        assert_eq!(keytab.keys_for("HTTP/web").len(), 3);
        assert_eq!(keytab.keys_for("HTTP/we").len(), 0);
        assert_eq!(keytab.keys_for("HTTP/web@EXAM").len(), 0);
        assert_eq!(keytab.keys_for("").len(), 0);
    }

    #[test]
    fn realms_and_principals_are_named_once() {
        let keytab = example();
        assert_eq!(keytab.realms(), ["EXAMPLE", "OTHER"]);
        assert_eq!(keytab.principals(), ["HTTP/web@EXAMPLE", "HTTP/web@OTHER"]);
    }

    #[test]
    fn a_principal_with_rc4_alone_is_told_from_one_with_aes_beside_it() {
        let keytab = example();
        assert!(keytab.only_rc4("HTTP/web@OTHER"));
        assert!(!keytab.only_rc4("HTTP/web@EXAMPLE"));
        assert!(!keytab.only_rc4("HTTP/absent@EXAMPLE"), "no key is not an RC4 key");
    }

    #[test]
    fn what_stands_before_a_cut_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.keytab");
        let whole = file(&[
            entry("EXAMPLE", &["HTTP", "web"], 2, 18),
            entry("EXAMPLE", &["HTTP", "web"], 2, 23),
        ]);
        std::fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let Whole { keytab, flaw } = read_what_is_whole(&path).unwrap();
        assert_eq!(keytab.entries.len(), 1);
        assert!(matches!(flaw, Some(KeytabError::Truncated { .. })), "{flaw:?}");
        std::fs::write(&path, &whole).unwrap();
        let Whole { keytab, flaw } = read_what_is_whole(&path).unwrap();
        assert_eq!((keytab.entries.len(), flaw.is_none()), (2, true));
        std::fs::write(&path, "no keytab").unwrap();
        assert!(matches!(read_what_is_whole(&path), Err(KeytabError::NotAKeytab { .. })));
    }

    #[test]
    fn errors_name_the_file_and_what_is_wrong_with_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("web.keytab");
        let error = |path: &Path| read(path).unwrap_err().to_string();
        let name = path.display();
        assert_eq!(
            error(&path),
            format!(
                "{name} does not exist; export a keytab for this service to it, or correct keytab in [sso.kerberos]"
            )
        );
        std::fs::write(&path, b"").unwrap();
        assert_eq!(error(&path), format!("{name} is not a keytab: it is empty"));
        std::fs::write(&path, b"\x05\x02\0\0\0\x10\0\0").unwrap();
        assert_eq!(
            error(&path),
            format!("{name} is cut off or damaged: an entry ends at offset 8; export it again")
        );
        let directory = directory.path();
        assert_eq!(
            error(directory),
            format!("{} is not a keytab: it is not a regular file", directory.display())
        );
    }

    fn example() -> Keytab {
        let bytes = file(&[
            entry("EXAMPLE", &["HTTP", "web"], 2, 18),
            entry("EXAMPLE", &["HTTP", "web"], 2, 23),
            entry("OTHER", &["HTTP", "web"], 1, 23),
        ]);
        format::parse(&bytes).unwrap_or_else(|_| panic!("a sound keytab"))
    }

    /// A keytab that has keys of these principals of a realm, kvno 2 and AES.
    pub(crate) fn held(names: &[&str], realm: &str) -> Keytab {
        let entry = |name: &&str| Entry {
            principal: format!("{name}@{realm}"),
            realm: realm.to_owned(),
            kvno: 2,
            enctype: Enctype(18),
            written: Timestamp::from_unix(0),
        };
        Keytab { entries: names.iter().map(entry).collect() }
    }

    /// A keytab of these records.
    pub(crate) fn file(records: &[Vec<u8>]) -> Vec<u8> {
        [&[5, 2][..], &records.concat()].concat()
    }

    /// What a deleted entry leaves.
    pub(crate) fn hole(size: i32) -> Vec<u8> {
        [(-size).to_be_bytes().to_vec(), vec![0xee; size as usize]].concat()
    }

    /// An entry with a key of zeros.
    pub(crate) fn entry(realm: &str, name: &[&str], kvno: u32, enctype: u16) -> Vec<u8> {
        let counted = |text: &str| [&(text.len() as u16).to_be_bytes(), text.as_bytes()].concat();
        let mut record = (name.len() as u16).to_be_bytes().to_vec();
        record.extend(counted(realm));
        name.iter().for_each(|part| record.extend(counted(part)));
        record.extend(1u32.to_be_bytes());
        record.extend(1_700_000_000u32.to_be_bytes());
        record.push(kvno as u8);
        record.extend(enctype.to_be_bytes());
        record.extend([0, 16]);
        record.extend([0; 16]);
        record.extend(kvno.to_be_bytes());
        [(record.len() as i32).to_be_bytes().to_vec(), record].concat()
    }
}

//! Keytab files (MIT format 0x0502), read for messages and checks. Key bytes
//! are passed over and never kept; accepting tickets is the library's work.
//!
//! The format is described in MIT's `doc/formats/keytab_file_format.rst`.

use std::collections::BTreeSet;
use std::fmt;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::clock::Timestamp;

/// What a keytab holds, without the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keytab {
    /// Its entries, as they stand in the file.
    pub entries: Vec<Entry>,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
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
pub struct Enctype(pub u16);

/// Why a keytab cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum KeytabError {
    /// There is no such file.
    #[error("{path} does not exist; export a keytab for this service to it", path = .0.display())]
    Missing(PathBuf),
    /// There is one, for others.
    #[error(
        "{path} is not readable by uid {uid}: it belongs to uid {owner}, group {group}, with mode {mode:04o}; \
         give it to the user that Doorward runs as, with mode 0600",
        path = path.display()
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Who tried.
        uid: u32,
        /// Whose it is.
        owner: u32,
        /// Its group.
        group: u32,
        /// Its permissions.
        mode: u32,
    },
    /// Reading failed in another way.
    #[error("{path}: {error}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It is something else.
    #[error("{path} is not a keytab: {what}", path = path.display())]
    NotAKeytab {
        /// The file.
        path: PathBuf,
        /// How one can tell.
        what: &'static str,
    },
    /// It ends in the middle of an entry.
    #[error("{path} is cut off or damaged: an entry ends at offset {offset}; export it again", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Where its entry ends too early.
        offset: usize,
    },
}

/// Reads the keytab at `path`.
///
/// # Errors
/// Says whether it is missing, for others, no keytab, or damaged.
pub fn read(path: &Path) -> Result<Keytab, KeytabError> {
    let bytes = load(path)?;
    parse(&bytes).map_err(|flaw| match flaw {
        Flaw::NotAKeytab(what) => KeytabError::NotAKeytab { path: path.to_owned(), what },
        Flaw::Truncated(offset) => KeytabError::Truncated { path: path.to_owned(), offset },
    })
}

impl Keytab {
    /// The realms of its principals, sorted, each once.
    pub fn realms(&self) -> Vec<&str> {
        let realms: BTreeSet<_> = self.entries.iter().map(|entry| entry.realm.as_str()).collect();
        realms.into_iter().collect()
    }

    /// Its principals, sorted, each once.
    pub fn principals(&self) -> Vec<&str> {
        let names: BTreeSet<_> =
            self.entries.iter().map(|entry| entry.principal.as_str()).collect();
        names.into_iter().collect()
    }

    /// The keys of `principal`: `HTTP/host@REALM`, or `HTTP/host` for every realm.
    pub fn keys_for(&self, principal: &str) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| entry.is_for(principal)).collect()
    }

    /// Whether `principal` has keys, and all of them are RC4, which domain
    /// controllers do not use any more (CVE-2026-20833).
    pub fn only_rc4(&self, principal: &str) -> bool {
        let keys = self.keys_for(principal);
        !keys.is_empty() && keys.iter().all(|entry| entry.enctype.is_rc4())
    }
}

impl Entry {
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
    pub const fn is_rc4(self) -> bool {
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
    let facts = std::fs::metadata(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => KeytabError::Missing(path.to_owned()),
        _ => io(error),
    })?;
    if !facts.is_file() {
        let what = "it is not a regular file";
        return Err(KeytabError::NotAKeytab { path: path.to_owned(), what });
    }
    let file = std::fs::File::open(path).map_err(|error| match error.kind() {
        io::ErrorKind::PermissionDenied => KeytabError::Unreadable {
            path: path.to_owned(),
            uid: nix::unistd::geteuid().as_raw(),
            owner: facts.uid(),
            group: facts.gid(),
            mode: facts.mode() & 0o7777,
        },
        _ => io(error),
    })?;
    let mut bytes = Vec::new();
    file.take(MAX_FILE).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

enum Flaw {
    NotAKeytab(&'static str),
    Truncated(usize),
}

fn parse(bytes: &[u8]) -> Result<Keytab, Flaw> {
    let mut file = Cursor { bytes, offset: 0 };
    match file.array() {
        Ok([5, 2]) => {}
        Ok([5, 1]) => {
            return Err(Flaw::NotAKeytab("it has the old format 0x0501; export it again"));
        }
        Ok(_) => return Err(Flaw::NotAKeytab("it does not begin with 0x0502")),
        Err(_) => return Err(Flaw::NotAKeytab("it is empty")),
    }
    let mut entries = Vec::new();
    while file.offset < bytes.len() {
        let size = file.array().map(i32::from_be_bytes)?;
        let start = file.offset;
        let record = file.take(size.unsigned_abs() as usize)?;
        match size {
            0 => break,
            // A hole, left by a deleted entry.
            ..0 => {}
            _ => entries.push(entry(record, start)?),
        }
    }
    Ok(Keytab { entries })
}

fn entry(record: &[u8], start: usize) -> Result<Entry, Flaw> {
    let mut record = Cursor { bytes: record, offset: 0 };
    entry_at(&mut record).map_err(|flaw| match flaw {
        Flaw::Truncated(offset) => Flaw::Truncated(start + offset),
        other => other,
    })
}

fn entry_at(record: &mut Cursor<'_>) -> Result<Entry, Flaw> {
    let components = record.u16()?;
    let realm = quoted(record.counted()?, false);
    let mut names = Vec::new();
    for _ in 0..components {
        names.push(quoted(record.counted()?, true));
    }
    record.take(4)?; // name type
    let written = Timestamp::from_unix(u64::from(record.u32()?));
    let [short_kvno] = record.array()?;
    let enctype = Enctype(record.u16()?);
    record.counted()?; // the key itself
    // A version that needs more than 8 bits follows at the end.
    let long_kvno = if record.left() >= 4 { record.u32()? } else { 0 };
    Ok(Entry {
        principal: format!("{}@{realm}", names.join("/")),
        kvno: if long_kvno == 0 { u32::from(short_kvno) } else { long_kvno },
        realm,
        enctype,
        written,
    })
}

/// A component or realm as MIT displays it: `krb5_unparse_name` quotes these.
fn quoted(bytes: &[u8], component: bool) -> String {
    let mut text = String::new();
    for character in String::from_utf8_lossy(bytes).chars() {
        match character {
            '\\' | '@' => text.extend(['\\', character]),
            '/' if component => text.push_str("\\/"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\u{8}' => text.push_str("\\b"),
            '\0' => text.push_str("\\0"),
            other => text.push(other),
        }
    }
    text
}

struct Cursor<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Cursor<'a> {
    fn left(&self) -> usize {
        self.bytes.len().saturating_sub(self.offset)
    }

    fn take(&mut self, wanted: usize) -> Result<&'a [u8], Flaw> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let taken = rest.get(..wanted).ok_or(Flaw::Truncated(self.bytes.len()))?;
        self.offset += wanted;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Flaw> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    fn u16(&mut self) -> Result<u16, Flaw> {
        self.array().map(u16::from_be_bytes)
    }

    fn u32(&mut self) -> Result<u32, Flaw> {
        self.array().map(u32::from_be_bytes)
    }

    fn counted(&mut self) -> Result<&'a [u8], Flaw> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }
}

/// Far more than any keytab has; a wrong path must not fill the memory.
const MAX_FILE: u64 = 16 * 1024 * 1024;

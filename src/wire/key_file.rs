//! A file of `sslkeys_path`, by its name.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The name of a file in `sslkeys_path`, without the folder: the name of the key's
/// holder in the audit log.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct KeyFile(String);

impl KeyFile {
    /// The name of an entry of the folder. Where it is not UTF-8, it is shown as far as it is.
    pub(crate) fn of_entry(name: &OsStr) -> Self {
        Self(name.to_string_lossy().into_owned())
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for KeyFile {
    type Error = OddKeyFile;

    fn try_from(name: String) -> Result<Self, OddKeyFile> {
        let odd = name.contains(['/', '\0']) || matches!(&*name, "" | "." | "..");
        if odd { Err(OddKeyFile) } else { Ok(Self(name)) }
    }
}

impl FromStr for KeyFile {
    type Err = OddKeyFile;

    fn from_str(name: &str) -> Result<Self, OddKeyFile> {
        name.to_owned().try_into()
    }
}

impl Borrow<str> for KeyFile {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for KeyFile {
    fn as_ref(&self) -> &Path {
        self.0.as_ref()
    }
}

impl fmt::Display for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for KeyFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A text that is no name of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a key's file is the name of a file in sslkeys_path, without the folder")]
pub struct OddKeyFile;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_a_name_without_a_folder() {
        let file: KeyFile = "webapp-public.pem".parse().unwrap();
        let json = serde_json::to_string(&file).unwrap();
        assert_eq!(json, "\"webapp-public.pem\"");
        assert_eq!(serde_json::from_str::<KeyFile>(&json).unwrap(), file);
        for odd in ["", ".", "..", "/etc/key.pem", "a/b", "a\0b"] {
            assert_eq!(odd.parse::<KeyFile>(), Err(OddKeyFile), "{odd:?}");
        }
    }
}

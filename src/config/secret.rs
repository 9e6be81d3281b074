//! Secrets: never logged, never shown. They are in the file, in a `*_file` beside it, or in an
//! `$ENVIRONMENT_VARIABLE`.

use std::path::PathBuf;
use std::{fmt, fs, io};

/// Something that must not be shown. Its `Debug` says only where it comes from.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Secret(Source);

#[derive(Clone, PartialEq, Eq)]
enum Source {
    Text(String),
    File(PathBuf),
}

impl Secret {
    /// A secret that is known already.
    pub(crate) const fn text(secret: String) -> Self {
        Self(Source::Text(secret))
    }

    /// A secret that is in a file, and is read whenever it is needed.
    pub(crate) const fn file(path: PathBuf) -> Self {
        Self(Source::File(path))
    }

    /// The secret itself. One line end at the end of a file is not part of it.
    ///
    /// # Errors
    /// The file cannot be read, or is not UTF-8.
    pub(crate) fn reveal(&self) -> io::Result<String> {
        match &self.0 {
            Source::Text(secret) => Ok(secret.clone()),
            Source::File(path) => {
                let text = fs::read_to_string(path)?;
                let line = text.strip_suffix('\n').unwrap_or(&text);
                Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
            }
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Text(_) => f.write_str("Secret(not shown)"),
            Source::File(path) => write!(f, "Secret(in {})", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_does_not_show_it() {
        assert!(!format!("{:?}", Secret::text("hunter2".to_owned())).contains("hunter2"));
    }

    #[test]
    fn a_file_loses_one_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pass");
        for (held, secret) in [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a", " a")] {
            fs::write(&path, held).unwrap();
            assert_eq!(Secret::file(path.clone()).reveal().unwrap(), secret);
        }
    }
}

//! Secrets: never logged, never shown. They are in the file, in a `*_file` beside it, or in an
//! `$ENVIRONMENT_VARIABLE`.

use std::path::PathBuf;
use std::{fmt, fs, io};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use secrecy::{ExposeSecret, SecretString};

/// A secret, or the file that it is in. Its `Debug` says only where it comes from.
#[derive(Clone)]
pub(crate) struct Secret(Source);

#[derive(Clone)]
enum Source {
    Text(SecretString),
    File(PathBuf),
}

impl Secret {
    /// A secret that is known already.
    pub(crate) fn text(secret: impl Into<SecretString>) -> Self {
        Self(Source::Text(secret.into()))
    }

    /// A secret that is in a file, and is read whenever it is needed.
    pub(crate) const fn file(path: PathBuf) -> Self {
        Self(Source::File(path))
    }

    /// The secret itself. One line end at the end of a file is not part of it.
    ///
    /// # Errors
    /// The file cannot be read, or is not UTF-8.
    pub(crate) fn read(&self) -> io::Result<SecretString> {
        match &self.0 {
            Source::Text(secret) => Ok(secret.clone()),
            Source::File(path) => {
                let text = SecretString::from(fs::read_to_string(path)?);
                let text = text.expose_secret();
                let line = text.strip_suffix('\n').unwrap_or(text);
                Ok(line.strip_suffix('\r').unwrap_or(line).into())
            }
        }
    }
}

/// A reload asks whether a setting has changed.
impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Source::Text(one), Source::Text(other)) => {
                let (one, other) = (one.expose_secret(), other.expose_secret());
                verify_slices_are_equal(one.as_bytes(), other.as_bytes()).is_ok()
            }
            (Source::File(one), Source::File(other)) => one == other,
            _ => false,
        }
    }
}

impl Eq for Secret {}

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
            let read = Secret::file(path.clone()).read().unwrap();
            assert_eq!(read.expose_secret(), secret);
        }
    }
}

//! What was made, and what to do with it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::pki::file::write::is_open_to_others;

/// What a command says at its end.
#[derive(Debug, Default)]
pub(super) struct Report {
    files: Vec<(Verb, PathBuf, String, String)>,
    warnings: Vec<String>,
}

/// What happened to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Made,
    Renewed,
    /// It stands as it stood.
    Kept,
}

impl Report {
    /// Warns where others can replace what is put into the folder.
    pub(super) fn about(folder: &Path) -> Self {
        let mut told = Self::default();
        if is_open_to_others(folder).unwrap_or(false) {
            told.warn(format!(
                "others may write to {folder}, and so can replace keys in it: chmod go-w {folder}",
                folder = folder.display()
            ));
        }
        told
    }

    /// A file, what it is, and where it goes.
    pub(super) fn file(&mut self, verb: Verb, path: &Path, what: String, place: &str) {
        self.files.push((verb, path.to_owned(), what, place.to_owned()));
    }

    /// Something that is not as it should be, and that nothing was refused for.
    pub(super) fn warn(&mut self, warning: String) {
        self.warnings.push(warning);
    }

    /// Files on standard output, warnings on standard error.
    pub(super) fn print(&self) {
        print!("{self}");
        for warning in &self.warnings {
            eprintln!("warning: {warning}");
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (verb, path, what, place) in &self.files {
            writeln!(f, "{verb} {}: {what}", path.display())?;
            for line in place.lines() {
                writeln!(f, "    {line}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Made => "made",
            Self::Renewed => "renewed",
            Self::Kept => "kept",
        })
    }
}

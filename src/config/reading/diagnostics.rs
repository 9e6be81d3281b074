//! What is wrong with a configuration: all errors at once, each with its place.

use std::fmt;
use std::path::Path;

use super::key::Key;

/// Everything that is wrong with a configuration, in the order of the file.
/// Always for the administrator to correct; displayed one complaint a line.
#[derive(Debug)]
pub struct ConfigErrors(Vec<Complaint>);

/// Something the administrator should know, though the configuration runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Warning(Complaint);

/// One sentence about one place: `FILE:LINE:COLUMN: section.key: what is wrong; what to do`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Complaint {
    origin: String,
    place: Option<(usize, usize)>,
    key: String,
    sentence: String,
}

/// A key and where its value is.
#[derive(Clone, Debug)]
pub(in crate::config) struct Location {
    /// With its sections: `front.listen`.
    pub(in crate::config) key: String,
    /// Byte offset in the file; `None` for a default.
    pub(in crate::config) offset: Option<usize>,
}

/// Collects complaints while a file is read.
#[derive(Debug)]
pub(in crate::config) struct Diagnostics<'t> {
    origin: &'t str,
    text: &'t str,
    keys: &'static [Key],
    errors: Vec<Complaint>,
    warnings: Vec<Complaint>,
}

impl ConfigErrors {
    /// The complaints, in the order of the file.
    pub fn complaints(&self) -> &[Complaint] {
        &self.0
    }

    /// The one complaint that a file could not even be read.
    pub(in crate::config) fn unreadable(path: &Path, error: &std::io::Error) -> Self {
        Self(vec![Complaint {
            origin: path.display().to_string(),
            place: None,
            key: String::new(),
            sentence: format!(
                "cannot be read ({error}); name a file that this user may read with --config"
            ),
        }])
    }
}

impl<'t> Diagnostics<'t> {
    /// `origin` is the file's name as it is shown; `keys` are all that the file may have.
    pub(in crate::config) const fn new(
        origin: &'t str,
        text: &'t str,
        keys: &'static [Key],
    ) -> Self {
        Self { origin, text, keys, errors: Vec::new(), warnings: Vec::new() }
    }

    /// Something that keeps the configuration from running.
    pub(in crate::config) fn error(&mut self, at: &Location, sentence: impl Into<String>) {
        let complaint = self.complaint(at, sentence.into());
        self.errors.push(complaint);
    }

    /// Something that does not.
    pub(in crate::config) fn warn(&mut self, at: &Location, sentence: impl Into<String>) {
        let complaint = self.complaint(at, sentence.into());
        self.warnings.push(complaint);
    }

    /// All keys that the file may have.
    pub(in crate::config) const fn keys(&self) -> &'static [Key] {
        self.keys
    }

    /// Whether nothing has been wrong so far.
    pub(in crate::config) const fn is_sound(&self) -> bool {
        self.errors.is_empty()
    }

    /// The line of a value, counted from 1; 0 for a default.
    pub(in crate::config) fn line(&self, at: &Location) -> usize {
        at.offset.map_or(0, |offset| position(self.text, offset).0)
    }

    /// All errors, in the order of the file.
    pub(in crate::config) fn into_errors(mut self) -> ConfigErrors {
        self.errors.sort_by_key(|complaint| complaint.place);
        ConfigErrors(self.errors)
    }

    /// All warnings, in the order of the file.
    pub(in crate::config) fn into_warnings(mut self) -> Vec<Warning> {
        self.warnings.sort_by_key(|complaint| complaint.place);
        self.warnings.into_iter().map(Warning).collect()
    }

    fn complaint(&self, at: &Location, sentence: String) -> Complaint {
        Complaint {
            origin: self.origin.to_owned(),
            place: at.offset.map(|offset| position(self.text, offset)),
            key: at.key.clone(),
            sentence,
        }
    }
}

impl std::error::Error for ConfigErrors {}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, complaint) in self.0.iter().enumerate() {
            let border = if index == 0 { "" } else { "\n" };
            write!(f, "{border}{complaint}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Complaint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin)?;
        if let Some((line, column)) = self.place {
            write!(f, ":{line}:{column}")?;
        }
        if !self.key.is_empty() {
            write!(f, ": {}", self.key)?;
        }
        write!(f, ": {}", self.sentence)
    }
}

/// Line and column of a byte offset, both counted from 1, the column in characters.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    let column = before.get(line_start..).map_or(0, |start| start.chars().count()) + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = "a = 1\nß = \"ü\" # x";
        let offset = text.find('#').unwrap();
        assert_eq!(position(text, offset), (2, 9));
    }

    #[test]
    fn the_end_of_the_file_has_a_place() {
        assert_eq!(position("a\n", 2), (2, 1));
        assert_eq!(position("a\n", 99), (2, 1));
    }
}

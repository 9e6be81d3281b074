//! `doorward.toml`: what the file says, the settings that run, and all errors at once.
//!
//! ```text
//! text ─▶ reading, value_types (each key by itself) ─▶ section (the keys together)
//!      ─▶ Settings ─▶ role (CoreSettings, FrontSettings)
//! ```

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, str};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use self::reading::diagnostics::{ConfigErrors, Warning};
#[cfg(test)]
pub(crate) use self::reading::key::{Effect, Key};
pub(crate) use self::role::{CoreSettings, FrontSettings};
pub(crate) use self::secret::Secret;
pub(crate) use self::section::Settings;
pub(crate) use self::surroundings::Surroundings;
pub(crate) use self::value_types::addresses::port_of;

mod reading;
mod restart;
mod role;
mod secret;
pub(crate) mod section;
mod surroundings;
mod value_types;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod documentation;
#[cfg(test)]
mod tests;

use self::reading::syntax::{Outline, Unclosed};
use self::reading::{Diagnostics, FromToml, Location};

/// A configuration that runs.
#[derive(Clone, Debug)]
pub(crate) struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// What the administrator should know nevertheless, in the order of the file.
    pub warnings: Vec<Warning>,
}

/// Reads a file in the surroundings of this process; without a file, the defaults.
///
/// # Errors
/// The file cannot be read, or everything that is wrong with it.
pub(crate) fn load(path: Option<&Path>) -> Result<Loaded, ConfigErrors> {
    load_in(path, &Surroundings::here())
}

/// Reads a file in other surroundings, such as those before root's rights were given up.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_in(
    path: Option<&Path>,
    surroundings: &Surroundings,
) -> Result<Loaded, ConfigErrors> {
    let Some(path) = path else { return parse("", "defaults", surroundings) };
    let bytes = fs::read(path).map_err(|error| ConfigErrors::unreadable(path, &error))?;
    let origin = path.display().to_string();
    match str::from_utf8(&bytes) {
        Ok(text) => parse(text, &origin, surroundings),
        Err(error) => {
            let text =
                String::from_utf8_lossy(bytes.get(..error.valid_up_to()).unwrap_or_default());
            let mut diagnostics = Diagnostics::new(&origin, &text, section::File::KEYS);
            let at = Location { key: String::new(), offset: Some(text.len()) };
            diagnostics.error(&at, "is not UTF-8; save the file in that encoding");
            Err(diagnostics.into_errors())
        }
    }
}

/// Reads the text of a file, shown as `origin`. Depends on nothing but its arguments.
///
/// # Errors
/// Everything that is wrong with it. Where the text is not TOML, only that is
/// reported: what is behind such an error cannot be known.
pub(crate) fn parse(
    text: &str,
    origin: &str,
    surroundings: &Surroundings,
) -> Result<Loaded, ConfigErrors> {
    let mut diagnostics = Diagnostics::new(origin, text, section::File::KEYS);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        not_toml(text, &errors, &mut diagnostics);
        return Err(diagnostics.into_errors());
    }
    let document = Spanned::new(0..text.len(), DeValue::Table(document.into_inner()));
    let top = Location { key: String::new(), offset: Some(0) };
    let Some(file) = section::File::from_toml(&document, &top, &mut diagnostics) else {
        return Err(diagnostics.into_errors());
    };
    let settings = section::check(&file, surroundings, &mut diagnostics);
    if !diagnostics.is_sound() {
        return Err(diagnostics.into_errors());
    }
    Ok(Loaded { settings, warnings: diagnostics.into_warnings() })
}

/// Reports why a text is not TOML. One error causes others in its statement, and something
/// that is not closed in all that follows.
fn not_toml(text: &str, errors: &[toml::de::Error], diagnostics: &mut Diagnostics<'_>) {
    let outline = Outline::of(text);
    let end = outline.unclosed.as_ref().map_or(text.len() + 1, |unclosed| unclosed.offset);
    let last = outline.statement(end);
    let mut statements = BTreeSet::new();
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        let statement = outline.statement(offset);
        let told = outline.unclosed.is_some() && statement >= last;
        if !told && statements.insert(statement) {
            let said = error.message().replace(UNQUOTED, "text must be in quotes");
            let at = Location { key: String::new(), offset: Some(offset) };
            diagnostics.error(&at, format!("is not TOML: {said}; correct this line"));
        }
    }
    if let Some(Unclosed { offset, sentence }) = outline.unclosed {
        diagnostics.error(&Location { key: String::new(), offset: Some(offset) }, sentence);
    }
}

/// As the parser says it.
const UNQUOTED: &str = "string values must be quoted, expected literal string";

#[cfg(test)]
/// The table of all keys, each with its section (`""` is the top of the file).
pub(crate) fn keys() -> Vec<(String, &'static Key)> {
    let mut keys = Vec::new();
    reading::key::collect("", section::File::KEYS, &mut keys);
    keys
}

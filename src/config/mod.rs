//! `doorward.toml`: what the file says (`raw`), what runs (`checked`), and
//! everything that is wrong with it at once (`errors`).
//!
//! ```text
//! text ─▶ section, value, plain, addresses, words (each key by itself, as the table in raw says)
//!      ─▶ check (the keys together) ─▶ checked
//! ```

use std::collections::BTreeSet;
use std::path::Path;
use std::{fs, str};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(crate) use self::addresses::port_of;
pub(crate) use self::checked::Settings;
pub(crate) use self::errors::{ConfigErrors, Warning};
pub(crate) use self::secret::Secret;
#[cfg(test)]
pub(crate) use self::section::{Effect, Key};
pub(crate) use self::surroundings::Surroundings;

mod addresses;
mod altnames;
mod check;
pub(crate) mod checked;
mod errors;
mod keys;
mod plain;
mod raw;
mod restart;
mod secret;
mod section;
mod surroundings;
mod syntax;
mod value;
mod words;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod documentation;

use self::errors::{At, Notes};
use self::syntax::{Outline, Unclosed};
use self::value::FromToml;

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
            let mut notes = Notes::new(&origin, &text);
            let at = At { key: String::new(), offset: Some(text.len()) };
            notes.error(&at, "is not UTF-8; save the file in that encoding");
            Err(notes.into_errors())
        }
    }
}

/// Reads the text of a file, shown as `origin`. Depends on nothing but its arguments.
///
/// # Errors
/// Everything that is wrong with it. Where the text is not TOML, only that is
/// told: what stands behind such an error cannot be known.
pub(crate) fn parse(
    text: &str,
    origin: &str,
    surroundings: &Surroundings,
) -> Result<Loaded, ConfigErrors> {
    let mut notes = Notes::new(origin, text);
    let (document, errors) = DeTable::parse_recoverable(text);
    if !errors.is_empty() {
        not_toml(text, &errors, &mut notes);
        return Err(notes.into_errors());
    }
    let document = Spanned::new(0..text.len(), DeValue::Table(document.into_inner()));
    let top = At { key: String::new(), offset: Some(0) };
    let Some(file) = raw::File::from_toml(&document, &top, &mut notes) else {
        return Err(notes.into_errors());
    };
    let settings = check::check(&file, surroundings, &mut notes);
    if !notes.is_sound() {
        return Err(notes.into_errors());
    }
    Ok(Loaded { settings, warnings: notes.into_warnings() })
}

/// Notes why a text is not TOML. One error begets others in its statement, and something
/// that is not closed in all that follows.
fn not_toml(text: &str, errors: &[toml::de::Error], notes: &mut Notes<'_>) {
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
            let at = At { key: String::new(), offset: Some(offset) };
            notes.error(&at, format!("is not TOML: {said}; correct this line"));
        }
    }
    if let Some(Unclosed { offset, sentence }) = outline.unclosed {
        notes.error(&At { key: String::new(), offset: Some(offset) }, sentence);
    }
}

/// As the parser says it.
const UNQUOTED: &str = "string values must be quoted, expected literal string";

#[cfg(test)]
/// The table of all keys, each with the section it stands in (`""` is the top of the file).
pub(crate) fn keys() -> Vec<(String, &'static Key)> {
    let mut keys = Vec::new();
    section::collect("", raw::File::KEYS, &mut keys);
    keys
}

#[cfg(test)]
mod tests {
    use super::checked::CoreAddress;
    use super::*;
    use crate::wire::Mechanism;

    #[test]
    fn without_a_file_the_defaults_run() {
        assert!(load(None).unwrap().warnings.is_empty());
    }

    #[test]
    fn the_default_offers_ntlm_only_where_samba_is_installed() {
        let offered = |installed| {
            let surroundings = Surroundings { installed, ..cases::surroundings() };
            let settings = parse("[[site]]", "doorward.toml", &surroundings).unwrap().settings;
            assert_eq!(settings.sso.mechanisms, settings.sites[0].mechanisms);
            settings.sso.mechanisms
        };
        use Mechanism::{Basic, Negotiate, Ntlm};
        assert_eq!(offered(|_| false), [Negotiate, Basic]);
        assert_eq!(offered(|_| true), [Negotiate, Ntlm, Basic]);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let errors = load(Some(Path::new("/nowhere/doorward.toml"))).unwrap_err();
        assert!(
            errors.to_string().starts_with("/nowhere/doorward.toml: cannot be read"),
            "{errors}"
        );
    }

    #[test]
    fn a_file_that_is_not_text_is_told_the_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latin1.toml");
        fs::write(&path, b"[log]\naudit = \"/var/log/T\xfcr\"\n").unwrap();
        let errors = load(Some(&path)).unwrap_err().to_string();
        assert!(errors.contains(":2:20: is not UTF-8"), "{errors}");
    }

    #[test]
    fn a_person_without_root_needs_no_file_either() {
        let home = ("HOME".to_owned(), "/home/john".to_owned());
        let person =
            Surroundings { root: false, environment: [home].into(), ..cases::surroundings() };
        let settings = parse("", "defaults", &person).unwrap().settings;
        assert_eq!(settings.state_path, Path::new("/home/john/.local/state/doorward"));
        assert_eq!(settings.core.listen, Path::new("/home/john/.local/state/doorward/core.sock"));
        assert_eq!(settings.front.core, CoreAddress::Unix(settings.core.listen));
    }

    #[test]
    fn every_default_can_be_read() {
        let one_of_each = "[[site]]\n[[core.realm]]\nrealm = 'EXAMPLE.ORG'\n";
        assert!(parse(one_of_each, "test", &cases::surroundings()).is_ok());
    }

    #[test]
    fn sections_and_only_sections_have_keys_inside() {
        for (section, key) in keys() {
            let inside = !key.keys.is_empty();
            assert_eq!(key.effect == Effect::Section, inside, "{section}.{}", key.name);
        }
    }
}

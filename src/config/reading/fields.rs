//! How a section is read: every key by itself, so that all errors in a file are found at once.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::{At, Notes};
use super::value::{FromToml, Given, wrong_type};
use crate::config::section::File;

/// One row of the table of keys: all there is to know of a key besides its value.
#[derive(Debug)]
#[cfg_attr(not(test), expect(dead_code, reason = "tests hold docs/configuration.md to the table"))]
pub(crate) struct Key {
    /// The name within its section.
    pub name: &'static str,
    /// The default, as it would stand in the file.
    pub default: &'static str,
    /// What becomes of a change.
    pub effect: Effect,
    /// What it is for, in a sentence.
    pub meaning: &'static str,
    /// What the documentation calls its type.
    pub type_name: fn() -> String,
    /// The keys inside, where it is a section.
    pub keys: &'static [Self],
}

/// What becomes of a key that is set or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It is a section: each of its keys says for itself.
    Section,
    /// It counts after a reload (SIGHUP).
    Reload,
    /// It counts after a restart.
    Restart,
    /// Its feature is not in this version, and leaving it out keeps nobody
    /// out and lets nobody in: a warning at most.
    Ignored,
    /// Its feature is not in this version, and leaving it out would change who
    /// may do what: an error.
    Refused,
}

/// Makes the struct of a section and its rows of the table from one list.
/// Keys under `absent` belong to features that this version lacks.
macro_rules! section {
    (
        $(#[$attribute:meta])*
        $name:ident {
            $($key:ident: $type:ty = $default:literal, $effect:ident, $meaning:literal;)*
        }
        $(absent {
            $($akey:ident: $atype:ty = $adefault:literal, $aeffect:ident, $ameaning:literal;)*
        })?
    ) => {
        $(#[$attribute])*
        pub(in crate::config) struct $name {
            $(#[doc = $meaning] pub(in crate::config) $key: $crate::config::reading::value::Given<$type>,)*
        }

        impl $crate::config::reading::value::FromToml for $name {
            const KEYS: &'static [$crate::config::reading::fields::Key] = &[
                $($crate::config::reading::fields::row!($key: $type = $default, $effect, $meaning),)*
                $($($crate::config::reading::fields::row!($akey: $atype = $adefault, $aeffect, $ameaning),)*)?
            ];

            fn type_name() -> String {
                "section".to_owned()
            }

            fn from_toml(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                at: &$crate::config::reading::diagnostics::At,
                notes: &mut $crate::config::reading::diagnostics::Notes<'_>,
            ) -> Option<Self> {
                let mut fields = $crate::config::reading::fields::Fields::open::<Self>(value, at, notes)?;
                $($(fields.absent::<$atype>(
                    stringify!($akey),
                    $adefault,
                    $crate::config::reading::fields::Effect::$aeffect,
                );)*)?
                Some(Self { $($key: fields.read(stringify!($key), $default),)* })
            }
        }
    };
}

macro_rules! row {
    ($key:ident: $type:ty = $default:literal, $effect:ident, $meaning:literal) => {
        $crate::config::reading::fields::Key {
            name: stringify!($key),
            default: $default,
            effect: $crate::config::reading::fields::Effect::$effect,
            meaning: $meaning,
            type_name: <$type as $crate::config::reading::value::FromToml>::type_name,
            keys: <$type as $crate::config::reading::value::FromToml>::KEYS,
        }
    };
}

pub(in crate::config) use {row, section};

/// A section that is being read.
pub(in crate::config) struct Fields<'v, 'n, 't> {
    table: &'v DeTable<'v>,
    at: &'v At,
    notes: &'n mut Notes<'t>,
}

impl<'v, 'n, 't> Fields<'v, 'n, 't> {
    /// Begins to read section `S`, and notes every key that it does not have.
    pub(in crate::config) fn open<S: FromToml>(
        value: &'v Spanned<DeValue<'v>>,
        at: &'v At,
        notes: &'n mut Notes<'t>,
    ) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            wrong_type::<S>(value, &format!("write [{}]", at.key), at, notes);
            return None;
        };
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !S::KEYS.iter().any(|known| known.name == name) {
                let place = At { key: path(&at.key, name), offset: Some(key.span().start) };
                notes.error(&place, unknown(name, S::KEYS));
            }
        }
        Some(Self { table, at, notes })
    }

    /// Reads one key; its default where the file does not say, or says it wrongly.
    pub(in crate::config) fn read<T: FromToml>(&mut self, name: &str, default: &str) -> Given<T> {
        let key = path(&self.at.key, name);
        let Some(value) = self.table.get(name) else {
            let at = At { key, offset: None };
            return Given { value: from_default(default, &at), at };
        };
        let at = At { key, offset: self.at.offset.map(|_| value.span().start) };
        let read = T::from_toml(value, &at, self.notes);
        Given { value: read.unwrap_or_else(|| from_default(default, &at)), at }
    }

    /// Reads a key whose feature is not in this version, and says so when it
    /// asks for anything but the default.
    pub(in crate::config) fn absent<T: FromToml + PartialEq>(
        &mut self,
        name: &str,
        default: &str,
        effect: Effect,
    ) {
        let Given { at, value } = self.read::<T>(name, default);
        let asks = at.offset.is_some() && value != from_default(default, &at);
        match effect {
            _ if !asks => {}
            Effect::Ignored => {
                self.notes.warn(&at, "is not in this version of Doorward, and is ignored")
            }
            _ => self.notes.error(&at, "is not in this version of Doorward; remove it"),
        }
    }
}

/// Reads a default of the table. Defaults carry no place.
#[expect(clippy::expect_used, reason = "defaults are literals, and a test reads them all")]
fn from_default<T: FromToml>(default: &str, at: &At) -> T {
    let at = At { key: at.key.clone(), offset: None };
    let value = DeValue::parse(default).expect("a default is TOML");
    T::from_toml(&value, &at, &mut Notes::new("", "")).expect("a default is of its key's type")
}

/// What to say of a key that does not exist.
fn unknown(name: &str, keys: &'static [Key]) -> String {
    let mut elsewhere = Vec::new();
    collect("", File::KEYS, &mut elsewhere);
    if let Some((other, _)) = elsewhere.iter().find(|(_, key)| key.name == name) {
        return format!("is not known here; it belongs in {}", shown(other));
    }
    let likeness = |key: &Key| strsim::jaro_winkler(name, key.name);
    let best = |one: &&Key, other: &&Key| likeness(one).total_cmp(&likeness(other));
    let near = keys.iter().filter(|key| likeness(key) > 0.75).max_by(best);
    if let Some(key) = near {
        return format!("is not known; did you mean {}?", key.name);
    }
    let far = elsewhere.iter().filter(|(_, key)| likeness(key) > 0.9);
    match far.max_by(|(_, one), (_, other)| best(one, other)) {
        Some((other, key)) => {
            format!("is not known; did you mean {} in {}?", key.name, shown(other))
        }
        None => "is not known; docs/configuration.md lists all keys".to_owned(),
    }
}

/// All keys below a section, each with its section.
pub(in crate::config) fn collect(
    section: &str,
    keys: &'static [Key],
    all: &mut Vec<(String, &'static Key)>,
) {
    for key in keys {
        all.push((section.to_owned(), key));
        collect(&path(section, key.name), key.keys, all);
    }
}

fn path(section: &str, name: &str) -> String {
    if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") }
}

fn shown(section: &str) -> String {
    if section.is_empty() { "the top of the file".to_owned() } else { format!("[{section}]") }
}

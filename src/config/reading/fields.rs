//! How a section is read: every key by itself, so that all errors in a file are found at once.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::diagnostics::{Diagnostics, Location};
use super::key::{Effect, path, unknown};
use super::value::{FromToml, Located, wrong_type};

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
            $(#[doc = $meaning] pub(in crate::config) $key: $crate::config::reading::value::Located<$type>,)*
        }

        impl $crate::config::reading::value::FromToml for $name {
            const KEYS: &'static [$crate::config::reading::key::Key] = &[
                $($crate::config::reading::fields::row!($key: $type = $default, $effect, $meaning),)*
                $($($crate::config::reading::fields::row!($akey: $atype = $adefault, $aeffect, $ameaning),)*)?
            ];

            fn type_name() -> String {
                "section".to_owned()
            }

            fn from_toml(
                value: &toml::Spanned<toml::de::DeValue<'_>>,
                at: &$crate::config::reading::diagnostics::Location,
                diagnostics: &mut $crate::config::reading::diagnostics::Diagnostics<'_>,
            ) -> Option<Self> {
                let mut fields = $crate::config::reading::fields::Fields::open::<Self>(value, at, diagnostics)?;
                $($(fields.absent::<$atype>(
                    stringify!($akey),
                    $adefault,
                    $crate::config::reading::key::Effect::$aeffect,
                );)*)?
                Some(Self { $($key: fields.read(stringify!($key), $default),)* })
            }
        }
    };
}

macro_rules! row {
    ($key:ident: $type:ty = $default:literal, $effect:ident, $meaning:literal) => {
        $crate::config::reading::key::Key {
            name: stringify!($key),
            default: $default,
            effect: $crate::config::reading::key::Effect::$effect,
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
    at: &'v Location,
    diagnostics: &'n mut Diagnostics<'t>,
}

impl<'v, 'n, 't> Fields<'v, 'n, 't> {
    /// Begins to read section `S`, and reports every key that it does not have.
    pub(in crate::config) fn open<S: FromToml>(
        value: &'v Spanned<DeValue<'v>>,
        at: &'v Location,
        diagnostics: &'n mut Diagnostics<'t>,
    ) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            wrong_type::<S>(value, &format!("write [{}]", at.key), at, diagnostics);
            return None;
        };
        for key in table.keys() {
            let name = key.get_ref().as_ref();
            if !S::KEYS.iter().any(|known| known.name == name) {
                let place = Location { key: path(&at.key, name), offset: Some(key.span().start) };
                let all = diagnostics.keys();
                diagnostics.error(&place, unknown(name, S::KEYS, all));
            }
        }
        Some(Self { table, at, diagnostics })
    }

    /// Reads one key; its default where the file does not say, or says it wrongly.
    pub(in crate::config) fn read<T: FromToml>(&mut self, name: &str, default: &str) -> Located<T> {
        let key = path(&self.at.key, name);
        let Some(value) = self.table.get(name) else {
            let at = Location { key, offset: None };
            return Located { value: from_default(default, &at), at };
        };
        let at = Location { key, offset: self.at.offset.map(|_| value.span().start) };
        let read = T::from_toml(value, &at, self.diagnostics);
        Located { value: read.unwrap_or_else(|| from_default(default, &at)), at }
    }

    /// Reads a key whose feature is not in this version, and says so when it
    /// asks for anything but the default.
    pub(in crate::config) fn absent<T: FromToml + PartialEq>(
        &mut self,
        name: &str,
        default: &str,
        effect: Effect,
    ) {
        let Located { at, value } = self.read::<T>(name, default);
        let asks = at.offset.is_some() && value != from_default(default, &at);
        match effect {
            _ if !asks => {}
            Effect::Ignored => {
                self.diagnostics.warn(&at, "is not in this version of Doorward, and is ignored")
            }
            _ => self.diagnostics.error(&at, "is not in this version of Doorward; remove it"),
        }
    }
}

/// Reads a default of the table. Defaults have no place.
#[expect(clippy::expect_used, reason = "defaults are literals, and a test reads them all")]
fn from_default<T: FromToml>(default: &str, at: &Location) -> T {
    let at = Location { key: at.key.clone(), offset: None };
    let value = DeValue::parse(default).expect("a default is TOML");
    T::from_toml(&value, &at, &mut Diagnostics::new("", "", &[]))
        .expect("a default is of its key's type")
}

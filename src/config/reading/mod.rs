//! How the file is read: every key by itself, so that all that is wrong with it is found
//! at once.

pub(super) mod diagnostics;
pub(super) mod fields;
pub(super) mod syntax;
pub(super) mod value;

pub(super) use self::diagnostics::{At, Notes};
pub(super) use self::fields::section;
pub(super) use self::value::{FromToml, Given, QUOTES, Word, within, wrong_type};

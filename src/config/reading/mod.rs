//! How the file is read: every key by itself, so that all errors are found at once.

pub(super) mod diagnostics;
pub(super) mod fields;
pub(super) mod key;
pub(super) mod syntax;
pub(super) mod value;

pub(super) use self::diagnostics::{Diagnostics, Location};
pub(super) use self::fields::section;
pub(super) use self::value::{FromToml, Located, QUOTES, TextValue, wrong_type};

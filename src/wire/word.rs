//! Words from lists that grow: a newer peer may send one that is unknown here.

use std::fmt;

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};

/// A word on the wire. One that is not known is kept as it came, so that an answer
/// of a newer peer can be read and shown as a whole; it equals no known one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Word<T> {
    /// One of the list.
    Known(T),
    /// Another one.
    Other(Box<str>),
}

impl<T: Copy> Word<T> {
    /// The word, where it is known.
    pub(crate) const fn known(&self) -> Option<T> {
        match self {
            Self::Known(word) => Some(*word),
            Self::Other(_) => None,
        }
    }
}

impl<T> From<T> for Word<T> {
    fn from(word: T) -> Self {
        Self::Known(word)
    }
}

impl<T: PartialEq> PartialEq<T> for Word<T> {
    fn eq(&self, word: &T) -> bool {
        matches!(self, Self::Known(known) if known == word)
    }
}

impl<T: fmt::Display> fmt::Display for Word<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Known(word) => word.fmt(f),
            Self::Other(word) => f.pad(word),
        }
    }
}

/// Reads a part of an answer that may be left out: one that is not understood, of a
/// newer peer, counts as left out.
pub(crate) fn if_understood<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Part<T> {
        Understood(T),
        Other(IgnoredAny),
    }
    Ok(match Part::deserialize(deserializer)? {
        Part::Understood(part) => Some(part),
        Part::Other(_) => None,
    })
}

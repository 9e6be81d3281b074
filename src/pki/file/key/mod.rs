//! Private and public keys: read, encrypted, or refused with advice.

pub(crate) mod encryption;
mod error;
pub(in crate::pki) mod private;
pub(in crate::pki) mod public;
pub(crate) mod unsupported_formats;

pub(crate) use error::KeyError;

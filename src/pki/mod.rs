//! Private keys and certificates as files: PEM in, PEM out.
//!
//! One place reads private keys, for the front, the core and the commands, so
//! that a key which one of them takes is taken by all, and what none of them
//! takes is refused with the same sentence and the same way out.

pub mod encryption;
mod error;
pub mod file;
pub mod foreign;
pub mod pem;
mod private_key;
mod public_key;

#[cfg(test)]
pub(crate) mod testing;

pub use error::KeyError;
pub use private_key::{KeySource, PrivateKey};
pub use public_key::{Algorithm, PublicKey, fingerprint};

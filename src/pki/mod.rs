//! Private keys, certificates, and who a TLS peer can be taken for.
//!
//! As files: PEM in, PEM out. One place reads private keys, for the front, the
//! core and the commands, so that a key which one of them takes is taken by
//! all, and what none of them takes is refused with the same sentence and the
//! same way out.
//!
//! As peers:
//!
//! ```text
//! certificate ─▶ fitness (a key we take at all?) ─▶ chain (an authority of ours?) ─▶ peer_keys (on the list?)
//! ```
//!
//! Front and core both judge by these; this room knows neither of them.
//! Nothing here reaches for the network: what a certificate says of lists and
//! responders (CRL distribution points, OCSP) is not looked at.

mod anchors;
pub mod authority;
pub mod certificate;
pub mod chain;
pub mod encryption;
mod error;
pub mod file;
pub mod fitness;
pub mod foreign;
#[cfg(test)]
pub(crate) mod openssl;
pub mod pair;
pub mod peer_keys;
pub mod pem;
pub mod possession;
mod private_key;
mod public_key;
pub mod server;
pub mod shown;
pub(crate) mod stamp;
mod version1;

#[cfg(test)]
pub(crate) mod testing;

pub use error::KeyError;
pub use private_key::{KeySource, PrivateKey};
pub use public_key::{Algorithm, PublicKey, fingerprint};

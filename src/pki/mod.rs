//! Private keys, certificates, and the identity of a TLS peer.
//!
//! As files: PEM in, PEM out. One place reads private keys, for the front, the core and the
//! commands, so that all of them accept the same keys, and refuse others with the same sentence
//! and the same advice.
//!
//! As peers:
//!
//! ```text
//! certificate ─▶ key_policy (a key we take at all?) ─▶ chain (an authority of ours?) ─▶ peer_keys (on the list?)
//! ```
//!
//! Front and core both judge by these; this room knows neither of them.
//! Nothing here reaches for the network: what a certificate says of lists and
//! responders (CRL distribution points, OCSP) is not looked at.

pub(crate) mod file;
pub(crate) mod peer;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tls;

pub(crate) use file::key::KeyError;
pub(crate) use file::key::private::{KeySource, PrivateKey};
pub(crate) use file::key::public::{Algorithm, PublicKey};

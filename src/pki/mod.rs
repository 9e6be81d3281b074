//! Certificates and public keys: who a TLS peer can be taken for.
//!
//! ```text
//! certificate ─▶ spki (a key we take at all?) ─▶ chain (an authority of ours?) ─▶ peer_keys (on the list?)
//! ```
//!
//! Front and core both judge by these; this room knows neither of them.
//! Nothing here reaches for the network: what a certificate says of lists and
//! responders (CRL distribution points, OCSP) is not looked at.

pub mod certificate;
pub mod chain;
#[cfg(test)]
mod openssl;
pub mod pair;
pub mod peer_keys;
pub mod possession;
pub mod spki;
pub(crate) mod stamp;

//! Certificates that others show: whether they count, and why not.

pub(in crate::pki) mod anchors;
pub mod authority;
pub mod chain;
pub mod fitness;
pub mod peer_keys;
pub mod possession;
pub mod shown;
pub(in crate::pki) mod version1;

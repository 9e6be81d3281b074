//! Certificates that others show: whether they count, and why not.

pub(in crate::pki) mod anchors;
pub(crate) mod authority;
pub(crate) mod chain;
pub(crate) mod fitness;
pub(crate) mod peer_keys;
pub(crate) mod possession;
pub(crate) mod shown;
pub(in crate::pki) mod version1;

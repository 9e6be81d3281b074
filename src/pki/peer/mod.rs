//! Certificates that others show: whether they are accepted, and why not.

pub(in crate::pki) mod anchors;
pub(crate) mod authority;
pub(crate) mod chain;
pub(crate) mod key_policy;
pub(crate) mod key_possession;
pub(crate) mod peer_keys;
pub(crate) mod presented;
pub(in crate::pki) mod version1;

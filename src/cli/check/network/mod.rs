//! The ways by which requests come: names, proxies, and the sockets they end at.

pub(super) mod names;
pub(super) mod proxies;
pub(super) mod sockets;

//! How requests arrive: names, proxies, and listening sockets.

pub(super) mod names;
pub(super) mod proxies;
pub(super) mod sockets;

//! Sockets from systemd, and notifications to it.

pub(crate) mod activation;
pub(crate) mod notify;

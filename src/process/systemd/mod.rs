//! What systemd hands over, and what it is told.

pub(crate) mod activation;
pub(crate) mod notify;

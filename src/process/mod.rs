//! Duties of a long-running process: rights, sockets from systemd, signals, the log, notifications
//! to systemd.

pub(crate) mod account;
pub(crate) mod control;
pub(crate) mod files;
pub(crate) mod log;
pub(crate) mod privileges;
pub(crate) mod secrets;
pub(crate) mod seldom;
pub(crate) mod signals;
pub(crate) mod sockets;
pub(crate) mod systemd;

//! Duties of a long-running process: rights, sockets it is handed, signals, the
//! log, word to systemd.

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

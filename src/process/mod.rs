//! Duties of a long-running process: signals, the log, word to systemd.

pub mod log;
pub mod notify;
pub mod secrets;
pub mod signals;

//! Duties of a long-running process: rights, sockets it is handed, signals, the
//! log, word to systemd.

pub mod access;
pub mod account;
pub mod activation;
pub mod control;
pub mod log;
pub mod notify;
pub mod ownership;
pub mod privileges;
pub mod secrets;
pub mod seldom;
pub mod signals;
pub mod sockets;

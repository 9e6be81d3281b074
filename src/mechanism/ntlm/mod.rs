//! NTLM (MS-NLMP), verified by winbind: the exchange without I/O, the messages as
//! values, and the cryptography around them.
//!
//! Whether a password is right is for the domain to say. What is decided here is
//! whether the messages are whole, unchanged, and made for this service and channel.

pub(crate) mod acceptor;
pub(crate) mod av_pair;
pub(crate) mod crypto;
pub(crate) mod exchange;
pub(crate) mod helper;
mod judge;
pub(crate) mod key;
pub(crate) mod message;
pub(crate) mod response;
#[cfg(test)]
mod samples;
pub(crate) mod sign;
mod target;
mod text;

pub(crate) use acceptor::Acceptor;
pub(super) use exchange::begin;
pub(crate) use exchange::{Answer, InProgress, Question};
pub(crate) use target::{OwnHosts, Targets};

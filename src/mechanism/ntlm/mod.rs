//! NTLM (MS-NLMP), verified by winbind: the exchange without I/O, the messages as
//! values, and the cryptography around them.
//!
//! The domain decides whether a password is right. Here it is decided whether the messages are
//! whole, unchanged, and made for this service and channel.

mod acceptor;
pub(crate) mod crypto;
mod effect;
mod exchange;
pub(crate) mod helper;
pub(crate) mod message;
#[cfg(test)]
mod samples;
mod target;

pub(crate) use acceptor::Acceptor;
pub(crate) use effect::{Answer, Question};
pub(crate) use exchange::InProgress;
pub(super) use exchange::begin;
pub(crate) use target::{OwnHosts, Targets};

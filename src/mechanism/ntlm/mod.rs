//! NTLM (MS-NLMP), verified by winbind: the exchange without I/O, the messages as
//! values, and the cryptography around them.
//!
//! Whether a password is right is for the domain to say. What is decided here is
//! whether the messages are whole, unchanged, and made for this service and channel.

pub mod acceptor;
pub mod av_pair;
pub(crate) mod crypto;
pub mod exchange;
pub mod helper;
mod judge;
pub mod key;
pub mod message;
pub mod response;
#[cfg(test)]
mod samples;
pub mod sign;
mod target;
mod text;

pub use acceptor::Acceptor;
pub(super) use exchange::begin;
pub use exchange::{Answer, InProgress, Question};
pub use target::{OwnHosts, Targets};

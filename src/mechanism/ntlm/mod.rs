//! NTLM (MS-NLMP), verified by winbind: the exchange without I/O, the messages as
//! values, and the cryptography around them.
//!
//! The domain decides whether a password is right. Here it is decided whether the messages are
//! whole, unchanged, and made for this service and channel.

mod acceptor;
pub(super) mod attempt;
pub(crate) mod crypto;
mod effect;
mod exchange;
pub(crate) mod helper;
pub(crate) mod message;
#[cfg(test)]
pub(super) mod samples;

pub(crate) use acceptor::Acceptor;
pub(crate) use attempt::{Attempts, Leave};
pub(crate) use effect::{Challenged, Question, Verified};
pub(crate) use exchange::{Asked, Opening, Verifying};
pub(super) use exchange::{Turn, Work, begin};
pub(crate) use helper::NtlmMetrics;
pub(crate) use message::Negotiate;

//! The ways of signing on, without I/O of their own: [`wire::mechanism`](crate::wire::mechanism)
//! has a row for each, and this folder says what it does.
//!
//! A mechanism knows no HTTP, no socket and no clock. Each step of an exchange
//! consumes a state and returns what is to be done next; [`drive`](drive::drive)
//! has it done and feeds the answer to the one state that waits for it:
//!
//! ```text
//! header ─choose─▶ token ─▶ Exchange ─▶ Accept, Challenge, Verify ─▶ performed elsewhere ─▶ answer ─▶ …
//!                                    ├▶ Ask(challenge): the client's next token comes on this connection
//!                                    └▶ Done(outcome)
//! ```

pub(crate) mod basic;
pub(crate) mod certificate;
pub(crate) mod choose;
pub(crate) mod drive;
mod exchange;
pub(crate) mod kerberos;
pub(crate) mod ntlm;
mod outcome;
pub(crate) mod spnego;
mod terms;

pub(crate) use crate::krb5::bindings::Bindings;
pub(crate) use crate::wire::mechanism::Scheme;
pub(crate) use exchange::Exchange;
pub(crate) use outcome::{Outcome, Proof, Refused};
pub(crate) use terms::target::{OwnHosts, Targets};
pub(crate) use terms::{Channel, Terms};

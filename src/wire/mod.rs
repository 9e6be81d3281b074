//! The core's API as types: all that front, core and admin tool share. HTTP and
//! JSON under `/v1`; `docs/core-api.md` has the table of who may ask what.

pub(crate) mod admin;
mod event;
mod fingerprint;
mod key_file;
pub(crate) mod mechanism;
mod peer;
mod refusal;
mod request;
mod session;
#[cfg(test)]
mod tests;
mod user;
mod word;

pub(crate) use event::Event;
pub(crate) use fingerprint::Fingerprint;
pub(crate) use key_file::KeyFile;
pub(crate) use mechanism::Mechanism;
pub(crate) use peer::{ActingAs, PeerCredential, Whoami};
pub use refusal::Reason;
pub(crate) use refusal::{Denied, ErrorBody, ErrorWord, reason, reference};
pub(crate) use request::{Account, AccountKind, OpenSession, Password, Proof, SignOns};
pub(crate) use request::{attempts, open};
pub(crate) use session::{Ended, Ending, Session, SessionKey, SessionSecret};
pub(crate) use session::{SignOnAnswer, SignOnAnswers, key};
pub(crate) use user::{AdminLevel, LoginId, User};
pub(crate) use word::Word;

//! The two dialogues with `ntlm_auth`, as pure functions: from checked values to
//! the bytes of a question, from the lines of an answer to what it says.
//!
//! Nothing from a client is ever written as it came, and no question is malformed: `ntlm-server-1`
//! answers such a question twice, and whoever asks next would read the second answer as their own.

use thiserror::Error;

pub(crate) mod server_1;
pub(crate) mod squid;

/// Why something a client sent is not put to a helper. The client's fault.
/// Displayed as a fragment for a log line.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub(crate) enum Unaskable {
    /// No name.
    #[error("the user name is empty")]
    NoUser,
    /// A name longer than any account's.
    #[error("its {0} has more than {LONGEST_NAME} characters")]
    LongName(&'static str),
    /// A character that is in no name, or would make another one of it.
    #[error("its {0} contains a control character or a backslash")]
    OddName(&'static str),
    /// An NTLMv2 response has 16 bytes of proof and at least 28 more.
    #[error("its NTLMv2 response has {0} bytes")]
    ResponseLength(usize),
    /// No NTLM message of the kind that is due, or one of an absurd size.
    #[error("it is not the expected NTLM message")]
    Message,
}

/// A helper said something that is no answer to what it was asked.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error(
    "it answered {said:?}: this is not Samba's ntlm_auth; correct [sso.ntlm] ntlm_auth (/usr/bin/ntlm_auth)"
)]
pub(crate) struct Unexpected {
    /// The beginning of what it said.
    said: String,
}

impl Unexpected {
    fn new(said: &[u8]) -> Self {
        let said = String::from_utf8_lossy(said).chars().take(SHOWN).collect();
        Self { said }
    }
}

/// The name of a user or domain, which may be put to winbind.
fn check_name(what: &'static str, name: &str) -> Result<(), Unaskable> {
    if name.chars().count() > LONGEST_NAME {
        return Err(Unaskable::LongName(what));
    }
    if name.chars().any(|c| c.is_control() || c == '\\') {
        return Err(Unaskable::OddName(what));
    }
    Ok(())
}

/// A line of text as a log may show it.
fn text(said: &[u8]) -> String {
    String::from_utf8_lossy(said).chars().filter(|c| !c.is_control()).take(MOST_WORDS).collect()
}

/// [MS-NLMP] names have at most 256 characters; so have principal names in a directory.
const LONGEST_NAME: usize = 256;

/// How much of an unexpected answer is in the log.
const SHOWN: usize = 80;

/// How much of a refusal's words is in the log.
const MOST_WORDS: usize = 400;

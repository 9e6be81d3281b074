//! Why a server's message cannot be read.

use crate::cli::probe::error::ProbeError;

/// Why a challenge cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// It does not begin as NTLM does.
    #[error("it is not an NTLM message")]
    NotNtlm,
    /// It is another message.
    #[error("it is message {0} of NTLM, not the second")]
    Another(u32),
    /// A part is missing.
    #[error("its {0} runs past its end")]
    CutOff(&'static str),
    /// Its names are in some code page.
    #[error("it does not support Unicode names, as every server since 1996 does")]
    NoUnicode,
}

impl From<Unreadable> for ProbeError {
    fn from(fault: Unreadable) -> Self {
        Self::Challenge(fault.to_string())
    }
}

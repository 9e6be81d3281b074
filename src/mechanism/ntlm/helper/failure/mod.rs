//! What can go wrong between a client's answer and winbind's verdict.

use std::io;
use std::time::Duration;

use thiserror::Error;

use super::dialogue::{self, Unaskable};
use super::process::lines;
use status::Denial;

pub(super) mod status;

/// Why nobody is signed on, and whose fault that is. Displayed as a sentence for
/// the log, without a full stop.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The domain refuses the client.
    #[error("the domain refuses: {said}")]
    Denied {
        /// Why.
        denial: Denial,
        /// winbind's words.
        said: String,
    },
    /// The client sent something that cannot be asked.
    #[error("the client's message cannot be given to winbind: {0}")]
    Unaskable(#[from] Unaskable),
    /// The password is right, and it is not certain whose it is.
    #[error("the password is right, but {0}; sign on as DOMAIN\\user")]
    Unnamed(String),
    /// The client took too long to answer while others waited for its helper, or
    /// longer than `exchange_timeout`.
    #[error("the exchange was given up: the client took too long to answer its challenge")]
    GivenUp,
    /// As many wait as may wait, or one waited too long.
    #[error("all helpers are busy: {0}")]
    Busy(&'static str),
    /// winbind or the domain behind it does not answer.
    #[error("winbind could not verify: {0}; see `wbinfo -t` and `wbinfo --ping-dc`")]
    Winbind(String),
    /// The domain does not take this host for a member any more.
    #[error(
        "the domain no longer accepts this host as a member ({0}): its account was deleted or \
         reset. Join it again (net ads join -U Administrator), and restart winbind"
    )]
    Trust(String),
    /// The clocks differ.
    #[error(
        "the clocks of this host and of the domain controller differ by more than five minutes \
         ({0}): set this host's by the domain's time (NTP, timedatectl)"
    )]
    Clock(String),
    /// This process may not ask winbind.
    #[error(
        "winbind does not answer this user ({0}): the user must be in the group of the folder \
         winbindd_privileged (on Debian: winbindd_priv)"
    )]
    Rights(String),
    /// The helper failed.
    #[error("ntlm_auth failed: {0}")]
    Helper(String),
}

impl Failure {
    /// The word in metrics.
    pub(crate) const fn label(&self) -> &'static str {
        match self {
            Self::Denied { denial, .. } => denial.label(),
            Self::Unaskable(_) => "unaskable",
            Self::Unnamed(_) => "unnamed",
            Self::GivenUp => "given_up",
            Self::Busy(_) => "busy",
            Self::Winbind(_) => "winbind",
            Self::Trust(_) => "trust",
            Self::Clock(_) => "clock",
            Self::Rights(_) => "rights",
            Self::Helper(_) => "helper",
        }
    }
}

/// The words of every verdict, for metrics.
pub(super) fn labels() -> impl Iterator<Item = &'static str> {
    let others = [
        GRANTED,
        "unaskable",
        "unnamed",
        "given_up",
        "busy",
        "winbind",
        "trust",
        "clock",
        "rights",
        "helper",
    ];
    Denial::ALL.into_iter().map(Denial::label).chain(others)
}

pub(super) const GRANTED: &str = "granted";

/// What a helper did that costs it its place. Displayed as a fragment for a log line.
#[derive(Debug, Error)]
pub(super) enum Broken {
    /// No answer in time.
    #[error("it did not answer within {} ms", .0.as_millis())]
    Silent(Duration),
    /// It ended.
    #[error("it ended")]
    Ended,
    /// More came than was asked for.
    #[error("it wrote more than it was asked for")]
    Chatter,
    /// Output without lines, or none to be read.
    #[error(transparent)]
    NoLine(lines::NoLine),
    /// No answer to what it was asked.
    #[error(transparent)]
    Unexpected(#[from] dialogue::Unexpected),
    /// The question cannot be written.
    #[error("it cannot be written to: {0}")]
    Deaf(#[from] io::Error),
}

impl From<lines::NoLine> for Broken {
    fn from(no_line: lines::NoLine) -> Self {
        match no_line {
            lines::NoLine::End => Self::Ended,
            other => Self::NoLine(other),
        }
    }
}

impl From<lines::NotQuiet> for Broken {
    fn from(not_quiet: lines::NotQuiet) -> Self {
        match not_quiet {
            lines::NotQuiet::End => Self::Ended,
            lines::NotQuiet::Chatter => Self::Chatter,
        }
    }
}

//! Why a session ended: the word in the audit log, and the words on the page.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A session's end, as its former bearer is told of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// Why.
    pub why: Ending,
    /// When.
    pub at: Timestamp,
}

/// Why a session ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The Kerberos ticket that opened it ended.
    TicketEnd,
    /// The certificate that opened it ended.
    CertificateEnd,
    /// It was not used for `session_timeout`.
    Idle,
    /// Its cookie never came back within `session_unclaimed`.
    Unclaimed,
    /// It was as old as `session_lifetime` allows.
    Lifetime,
    /// Its bearer signed off.
    Logout,
    /// An administrator ended it.
    Admin,
    /// A newer session of the same user took its place (`max_sessions_per_user`).
    Displaced,
    /// The public key that opened it is no longer valid.
    Key,
}

impl Ending {
    /// The word in the audit log and on the wire.
    pub const fn label(self) -> &'static str {
        match self {
            Self::TicketEnd => "ticket_end",
            Self::CertificateEnd => "certificate_end",
            Self::Idle => "idle",
            Self::Unclaimed => "unclaimed",
            Self::Lifetime => "lifetime",
            Self::Logout => "logout",
            Self::Admin => "admin",
            Self::Displaced => "displaced",
            Self::Key => "key",
        }
    }
}

/// A sentence for the person whose session it was.
impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = self.at.time_of_day();
        match self.why {
            Ending::TicketEnd => {
                write!(f, "Your session ended with your Kerberos ticket, at {at}.")
            }
            Ending::CertificateEnd => {
                write!(f, "Your session ended with your certificate, at {at}.")
            }
            Ending::Idle => {
                write!(f, "Your session ended at {at}, because it was not used for a while.")
            }
            Ending::Unclaimed => write!(
                f,
                "Your session ended at {at}, because your program did not send its cookie back in time."
            ),
            Ending::Lifetime => {
                write!(
                    f,
                    "Your session ended at {at}: it reached the longest time that this gateway allows."
                )
            }
            Ending::Logout => write!(f, "You signed off at {at}."),
            Ending::Admin => write!(f, "An administrator ended your session at {at}."),
            Ending::Displaced => write!(
                f,
                "Your session ended at {at}, because you signed on too many times elsewhere since then."
            ),
            Ending::Key => write!(
                f,
                "Your session ended at {at}: the key of your certificate is no longer accepted."
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_on_the_wire_is_the_word_in_the_audit_log() {
        for why in [
            Ending::TicketEnd,
            Ending::CertificateEnd,
            Ending::Idle,
            Ending::Unclaimed,
            Ending::Lifetime,
            Ending::Logout,
            Ending::Admin,
            Ending::Displaced,
            Ending::Key,
        ] {
            let wire = serde_json::to_string(&why).unwrap_or_default();
            assert_eq!(wire, format!("\"{}\"", why.label()));
        }
    }

    #[test]
    fn a_person_is_told_the_time() {
        let ended = Ended { why: Ending::TicketEnd, at: Timestamp::from_unix(4_380) };
        assert_eq!(
            ended.to_string(),
            "Your session ended with your Kerberos ticket, at 01:13 UTC."
        );
    }
}

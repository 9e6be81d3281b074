//! The ways in which people and programs are proven.

use std::fmt;

use serde::{Deserialize, Serialize};

/// By what a person or program was proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mechanism {
    /// A client certificate, shown in the TLS handshake.
    Certificate,
    /// Kerberos, by `Authorization: Negotiate` (RFC 4559).
    Negotiate,
    /// NTLM version 2 (MS-NLMP), verified by winbind.
    Ntlm,
    /// Name and password, by HTTP Basic authentication at a front (RFC 7617).
    Basic,
    /// Name and password, given to the core itself.
    Password,
    /// A peer that may vouch for users named them.
    Trusted,
    /// The uid of a program on the same host is the proof (`allow_local_users`).
    Unix,
}

impl Mechanism {
    /// Whether a front proves people by it, and hands the proof to the core.
    pub(crate) const fn proves(self) -> bool {
        matches!(self, Self::Certificate | Self::Negotiate | Self::Ntlm)
    }

    /// The word in configuration, headers, metrics and audit lines.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Certificate => "certificate",
            Self::Negotiate => "negotiate",
            Self::Ntlm => "ntlm",
            Self::Basic => "basic",
            Self::Password => "password",
            Self::Trusted => "trusted",
            Self::Unix => "unix",
        }
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

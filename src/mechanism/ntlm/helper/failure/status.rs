//! What the texts of a refusal mean: whose fault it is.
//!
//! `squid-2.5-ntlmssp` gives the name of an NTSTATUS, `ntlm-server-1` gives
//! Samba's description of it, and each of them sometimes a sentence of its own.

/// Why the domain refuses the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Denial {
    /// The password is wrong, or (some protocols do not tell these apart) the name.
    WrongPassword,
    /// There is no such account.
    NoSuchUser,
    /// The account is disabled.
    AccountDisabled,
    /// The account is locked after too many wrong passwords.
    AccountLocked,
    /// The account has expired.
    AccountExpired,
    /// The password has expired.
    PasswordExpired,
    /// The password has to be changed before it is good.
    PasswordMustChange,
    /// The account may not sign on here, now, or in this way.
    Restricted,
    /// There is no such domain.
    NoSuchDomain,
    /// Something else; the words that came with it say what.
    Other,
}

impl Denial {
    /// Every denial there is, for metrics.
    pub(crate) const ALL: [Self; 10] = [
        Self::WrongPassword,
        Self::NoSuchUser,
        Self::AccountDisabled,
        Self::AccountLocked,
        Self::AccountExpired,
        Self::PasswordExpired,
        Self::PasswordMustChange,
        Self::Restricted,
        Self::NoSuchDomain,
        Self::Other,
    ];

    /// The word in metrics and log.
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::WrongPassword => "wrong_password",
            Self::NoSuchUser => "no_such_user",
            Self::AccountDisabled => "account_disabled",
            Self::AccountLocked => "account_locked",
            Self::AccountExpired => "account_expired",
            Self::PasswordExpired => "password_expired",
            Self::PasswordMustChange => "password_must_change",
            Self::Restricted => "restricted",
            Self::NoSuchDomain => "no_such_domain",
            Self::Other => "denied",
        }
    }
}

/// What a refusal means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::mechanism::ntlm::helper) enum Meaning {
    /// The domain has judged, and refuses.
    Denied(Denial),
    /// winbind or the domain behind it could not judge.
    Winbind,
    /// The domain does not take this host for a member any more.
    Trust,
    /// The clocks of this host and of the domain controller differ.
    Clock,
    /// winbind answered that this process may not ask.
    Rights,
    /// No answer came from winbind: it does not run, or its privileged pipe is
    /// closed to this process. The same words stand for both.
    Unheard,
}

/// What these words mean. Words that are not known deny: whatever they are, they
/// grant nothing.
pub(in crate::mechanism::ntlm::helper) fn meaning(said: &str) -> Meaning {
    // BH repeats the status: `NT_STATUS_UNSUCCESSFUL NT_STATUS_UNSUCCESSFUL`.
    let word = said.split(' ').next().unwrap_or(said);
    TABLE
        .iter()
        .find(|(name, text, _)| {
            (!name.is_empty() && word == *name) || (!text.is_empty() && said.starts_with(text))
        })
        .map_or(Meaning::Denied(Denial::Other), |(_, _, meaning)| *meaning)
}

use Denial::{
    AccountDisabled, AccountExpired, AccountLocked, NoSuchDomain, NoSuchUser, PasswordExpired,
    PasswordMustChange, Restricted, WrongPassword,
};
use Meaning::{Clock, Denied, Rights, Trust, Unheard, Winbind};

/// Name ([MS-ERREF] section 2.3.1), the beginning of Samba 4.17's description of
/// it, and the meaning.
const TABLE: &[(&str, &str, Meaning)] = &[
    ("NT_STATUS_LOGON_FAILURE", "The attempted logon is invalid", Denied(WrongPassword)),
    ("NT_STATUS_WRONG_PASSWORD", "When trying to update a password", Denied(WrongPassword)),
    ("NT_STATUS_NO_SUCH_USER", "The specified account does not exist", Denied(NoSuchUser)),
    (
        "NT_STATUS_ACCOUNT_DISABLED",
        "The referenced account is currently disabled",
        Denied(AccountDisabled),
    ),
    (
        "NT_STATUS_ACCOUNT_LOCKED_OUT",
        "The user account has been automatically locked",
        Denied(AccountLocked),
    ),
    ("NT_STATUS_ACCOUNT_EXPIRED", "The user account has expired", Denied(AccountExpired)),
    (
        "NT_STATUS_PASSWORD_EXPIRED",
        "The user account password has expired",
        Denied(PasswordExpired),
    ),
    (
        "NT_STATUS_PASSWORD_MUST_CHANGE",
        "The user password must be changed",
        Denied(PasswordMustChange),
    ),
    ("NT_STATUS_INVALID_LOGON_HOURS", "The user account has time restrictions", Denied(Restricted)),
    ("NT_STATUS_INVALID_WORKSTATION", "The user account is restricted so", Denied(Restricted)),
    ("NT_STATUS_ACCOUNT_RESTRICTION", "Indicates a referenced user name", Denied(Restricted)),
    (
        "NT_STATUS_LOGON_TYPE_NOT_GRANTED",
        "A user has requested a type of logon",
        Denied(Restricted),
    ),
    ("NT_STATUS_NOLOGON_INTERDOMAIN_TRUST_ACCOUNT", "The account used is", Denied(Restricted)),
    ("NT_STATUS_NOLOGON_WORKSTATION_TRUST_ACCOUNT", "", Denied(Restricted)),
    ("NT_STATUS_NOLOGON_SERVER_TRUST_ACCOUNT", "", Denied(Restricted)),
    ("NT_STATUS_AUTHENTICATION_FIREWALL_FAILED", "Logon Failure: The machine", Denied(Restricted)),
    (
        "NT_STATUS_NTLM_BLOCKED",
        "The authentication failed because NTLM was blocked",
        Denied(Restricted),
    ),
    ("NT_STATUS_NO_SUCH_DOMAIN", "The specified domain did not exist", Denied(NoSuchDomain)),
    ("NT_STATUS_NO_LOGON_SERVERS", "No logon servers", Winbind),
    ("NT_STATUS_DOMAIN_CONTROLLER_NOT_FOUND", "A domain controller for this domain", Winbind),
    ("NT_STATUS_CANT_ACCESS_DOMAIN_INFO", "Configuration information could not be read", Winbind),
    ("NT_STATUS_TRUSTED_RELATIONSHIP_FAILURE", "The logon request failed because the trust", Trust),
    // Between other domains: no matter of this host's own secret.
    ("NT_STATUS_TRUSTED_DOMAIN_FAILURE", "", Winbind),
    ("NT_STATUS_NO_TRUST_SAM_ACCOUNT", "The SAM database on the Windows Server", Trust),
    ("NT_STATUS_NO_TRUST_LSA_SECRET", "The workstation does not have a trust secret", Trust),
    ("NT_STATUS_TIME_DIFFERENCE_AT_DC", "The time at the primary domain", Clock),
    ("NT_STATUS_INTERNAL_ERROR", "An internal error occurred", Winbind),
    ("NT_STATUS_INSUFFICIENT_RESOURCES", "Insufficient system resources", Winbind),
    ("NT_STATUS_CONNECTION_ABORTED", "", Winbind),
    ("NT_STATUS_LOCAL_DISCONNECT", "", Winbind),
    ("NT_STATUS_REMOTE_DISCONNECT", "", Winbind),
    ("NT_STATUS_INVALID_SERVER_STATE", "Indicates the Sam Server was in the wrong state", Winbind),
    ("NT_STATUS_NETLOGON_NOT_STARTED", "An attempt was made to logon, but", Winbind),
    ("NT_STATUS_IO_TIMEOUT", "{Device Timeout}", Winbind),
    ("NT_STATUS_IO_DEVICE_ERROR", "The I/O device reported", Winbind),
    ("NT_STATUS_CONNECTION_DISCONNECTED", "The transport connection is now", Winbind),
    ("NT_STATUS_CONNECTION_RESET", "The transport connection has been reset", Winbind),
    ("NT_STATUS_CONNECTION_REFUSED", "The transport-connection attempt was refused", Winbind),
    ("NT_STATUS_NETWORK_UNREACHABLE", "The remote network is not reachable", Winbind),
    ("NT_STATUS_HOST_UNREACHABLE", "The remote system is not reachable", Winbind),
    ("NT_STATUS_PIPE_BROKEN", "The pipe operation has failed", Winbind),
    ("NT_STATUS_PIPE_DISCONNECTED", "The specified named pipe is in the", Winbind),
    ("NT_STATUS_RPC_SERVER_UNAVAILABLE", "The RPC server is unavailable", Winbind),
    ("NT_STATUS_ACCESS_DENIED", "{Access Denied}", Rights),
    ("", "winbind client not authorized", Rights),
    ("NT_STATUS_UNSUCCESSFUL", "{Operation Failed}", Unheard),
    ("", "Reading winbind reply failed", Unheard),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_and_the_description_of_a_status_mean_the_same() {
        for (name, text, expected) in TABLE {
            if !name.is_empty() {
                assert_eq!(meaning(name), *expected, "{name}");
            }
            if !text.is_empty() {
                assert_eq!(meaning(&format!("{text} and more.")), *expected, "{text}");
            }
        }
    }

    #[test]
    fn a_status_said_twice_is_that_status() {
        assert_eq!(meaning("NT_STATUS_UNSUCCESSFUL NT_STATUS_UNSUCCESSFUL"), Unheard);
    }

    #[test]
    fn words_that_nobody_knows_deny() {
        for said in ["", " ", "NT_STATUS_", "NT_STATUS_LOGON_FAILURES", "Access granted"] {
            assert_eq!(meaning(said), Denied(Denial::Other), "{said:?}");
        }
    }

    #[test]
    fn every_denial_has_a_word_of_its_own() {
        let mut labels: Vec<_> = Denial::ALL.iter().map(|denial| denial.label()).collect();
        labels.sort_unstable();
        labels.dedup();
        assert_eq!(labels.len(), Denial::ALL.len());
    }
}

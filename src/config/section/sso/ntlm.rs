//! `[sso.ntlm]`

use std::path::PathBuf;
use std::time::Duration;

use crate::config::reading::{Given, Notes, Word, section, within};
use crate::config::value_types::one_of;

section! {
    /// `[sso.ntlm]`
    Written {
        ntlm_auth: PathBuf = r#""/usr/bin/ntlm_auth""#, Reload, "Samba's helper, which asks winbind.";
        ntlm_auth_args: Vec<Given<String>> = "[]", Reload, "Further arguments of the helper.";
        helper_protocol: HelperProtocol = r#""ntlm-server-1""#, Reload, "The protocol between Doorward and the helper.";
        target_name: TargetName = r#""check""#, Reload, "Whether answers for other services are refused.";
        helpers: usize = "8", Reload, "Number of helpers.";
        queue: usize = "1024", Reload, "Maximum number of sign-ons that wait for a helper; further ones get 503.";
        helper_timeout: Duration = r#""10s""#, Reload, "Time limit for a helper's answer.";
        exchange_timeout: Duration = r#""30s""#, Reload, "Time limit for a client to answer the challenge.";
    }
    absent {}
}

/// `[sso.ntlm]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ntlm {
    /// Samba's `ntlm_auth`.
    pub ntlm_auth: PathBuf,
    /// Its further arguments.
    pub ntlm_auth_args: Vec<String>,
    /// What is spoken with it.
    pub helper_protocol: HelperProtocol,
    /// Whether answers for other services are refused.
    pub check_target_name: bool,
    /// How many of them are kept running.
    pub helpers: usize,
    /// Sign-ons that may wait for one; further ones are answered 503.
    pub queue: usize,
    /// A helper must answer within this time.
    pub helper_timeout: Duration,
    /// A client must answer its challenge within this time.
    pub exchange_timeout: Duration,
}

/// `sso.ntlm.helper_protocol`, as in ntlm_auth(1)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HelperProtocol {
    /// `ntlm-server-1`: the challenge is ours, and a helper is asked only to verify.
    NtlmServer1,
    /// `squid-2.5-ntlmssp`: a helper holds the exchange from its challenge to its verdict.
    Squid25Ntlmssp,
}

impl HelperProtocol {
    /// The word in configuration and on the helper's command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NtlmServer1 => "ntlm-server-1",
            Self::Squid25Ntlmssp => "squid-2.5-ntlmssp",
        }
    }
}

pub(super) fn check(written: &Written, notes: &mut Notes<'_>) -> Ntlm {
    within(&written.helpers, &1, &1024, notes);
    within(&written.queue, &1, &1_000_000, notes);
    for time in [&written.helper_timeout, &written.exchange_timeout] {
        within(time, &Duration::from_secs(1), &Duration::from_secs(600), notes);
    }
    for given in written.ntlm_auth_args.iter() {
        if given.value.starts_with("--helper-protocol") {
            notes.error(&given.at, "belongs in sso.ntlm.helper_protocol; remove it here");
        }
    }
    Ntlm {
        ntlm_auth: written.ntlm_auth.value.clone(),
        ntlm_auth_args: written.ntlm_auth_args.iter().map(|given| given.value.clone()).collect(),
        helper_protocol: written.helper_protocol.value,
        check_target_name: written.target_name.value == TargetName::Check,
        helpers: written.helpers.value,
        queue: written.queue.value,
        helper_timeout: written.helper_timeout.value,
        exchange_timeout: written.exchange_timeout.value,
    }
}

/// Whether the service that an NTLM client means is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::config) enum TargetName {
    /// It must be one of ours, where the client says it.
    Check,
    /// It is not looked at.
    Off,
}

impl Word for TargetName {
    const TYPE: &'static str = "check or off";

    fn parse(text: &str) -> Result<Self, String> {
        one_of(text, &[("check", Self::Check), ("off", Self::Off)])
    }
}

impl Word for HelperProtocol {
    const TYPE: &'static str = "ntlm-server-1 or squid-2.5-ntlmssp";

    fn parse(text: &str) -> Result<Self, String> {
        let words = [Self::NtlmServer1, Self::Squid25Ntlmssp];
        one_of(text, &words.map(|word| (word.as_str(), word)))
    }
}

//! Performs the effects of an exchange, which need time, randomness or winbind.

use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::rand;
use tokio_util::sync::CancellationToken;

use super::crypto::key::ExportedKey;
use super::effect::{Challenged, Context, Given, Question, Verified};
use super::helper::{self, Attempt, Failure, LogonKey, NtlmMetrics, Opened, Pool};
use super::message::{Authenticate, Challenge, Negotiate, ServerNames};
use crate::clock::{self, Timestamp};
use crate::config::section;
use crate::wire::{self, AccountKind, Denied, Reason};

/// The acceptor of NTLM: gives challenges, and says whose password was right.
#[derive(Debug)]
pub(crate) struct Acceptor {
    pool: Pool,
    exchange_timeout: Duration,
}

impl Acceptor {
    /// Starts the helpers, and returns before they run. Needs a tokio runtime.
    /// Helpers that end after `stop` are not missed. `asked_for`: somebody wrote that NTLM
    /// is to be offered.
    pub(crate) fn start(
        settings: &section::Ntlm,
        asked_for: bool,
        metrics: Arc<NtlmMetrics>,
        stop: CancellationToken,
    ) -> Self {
        let pool = Pool::start(settings, asked_for, metrics, stop);
        Self { pool, exchange_timeout: settings.exchange_timeout }
    }

    /// Whether a sign-on could succeed now.
    ///
    /// # Errors
    /// Why not, in a sentence.
    pub(crate) fn ready(&self) -> Result<(), String> {
        self.pool.ready().map_err(|not_ready| not_ready.to_string())
    }

    /// Waits until it is known whether a sign-on could succeed.
    pub(crate) async fn known(&self) {
        self.pool.known().await;
    }

    /// A challenge for a client. Waits for a helper as long as the settings allow.
    ///
    /// # Errors
    /// There is none to be had.
    pub(crate) async fn challenge(&self, negotiate: &Negotiate) -> Result<Challenged, Denied> {
        let (challenge, given) = match self.pool.open(negotiate.bytes()).await.map_err(denied)? {
            Opened::Names(names) => {
                let challenge = our_challenge(negotiate, &names)?;
                (challenge, Given::Ourselves(clock::instant()))
            }
            Opened::Challenge { message, reservation } => {
                let challenge = Challenge::parse(message).map_err(|malformed| {
                    let detail = format!("the helper's challenge is not readable: {malformed}");
                    Denied::new(Reason::NtlmHelperFailed, detail)
                })?;
                (challenge, Given::Helper(reservation))
            }
        };
        Ok(Challenged { challenge: Box::new(challenge), context: Context(given) })
    }

    /// Whether a client's answer is right. Waits for a helper as long as the settings
    /// allow.
    ///
    /// # Errors
    /// It is not, or nobody can tell.
    pub(crate) async fn verify(&self, question: Question) -> Result<Verified, Denied> {
        let Question { context, challenge, authenticate } = question;
        let attempt = match context.0 {
            Given::Ourselves(since) if since.elapsed() > self.exchange_timeout => {
                return Err(denied(Failure::GivenUp));
            }
            Given::Ourselves(_) => Attempt::Response(response(challenge, &authenticate)?),
            Given::Helper(reservation) => {
                Attempt::Message { reservation, authenticate: authenticate.bytes().to_vec() }
            }
        };
        let logon = self.pool.verify(attempt).await.map_err(denied)?;
        let exported = |key| match key {
            LogonKey::Exchange(key) => ExportedKey::new(key, &authenticate),
            LogonKey::Exported(key) => ExportedKey::exported(key),
        };
        Ok(Verified {
            principal: logon.account.to_string(),
            account: on_the_wire(logon.account),
            own_domain: self.pool.own_domain(),
            session_key: logon.key.map(exported),
        })
    }
}

fn on_the_wire(account: helper::Account) -> wire::Account {
    let helper::Account { domain, user, dns_domain, sid } = account;
    let kind = match user.ends_with('$') {
        true => AccountKind::Computer,
        false => AccountKind::Person,
    };
    wire::Account { sam: user, upn: None, domain: Some(domain), dns_domain, sid, kind }
}

fn our_challenge(negotiate: &Negotiate, names: &helper::Names) -> Result<Challenge, Denied> {
    let failed = |detail: String| Denied::new(Reason::NtlmHelperFailed, detail);
    let names = ServerNames::new(
        &names.netbios_domain,
        &names.netbios_computer,
        names.dns_domain.as_deref(),
        &names.dns_computer,
    );
    let names = names
        .map_err(|odd| failed(format!("the names of this host or domain are not valid: {odd}")))?;
    let mut challenge = [0; 8];
    rand::fill(&mut challenge)
        .map_err(|_| failed("the system has no random numbers".to_owned()))?;
    Ok(Challenge::new(negotiate, &names, challenge, filetime(clock::now())))
}

fn response(challenge: [u8; 8], authenticate: &Authenticate) -> Result<helper::Question, Denied> {
    let Some(response) = authenticate.response.ntlmv2() else {
        return Err(Denied::new(Reason::NtlmTooOld, "the answer is not NTLM version 2"));
    };
    Ok(helper::Question {
        challenge,
        nt_response: response.bytes.clone(),
        user: authenticate.user.clone(),
        domain: authenticate.domain.clone(),
    })
}

fn denied(failure: Failure) -> Denied {
    let reason = match &failure {
        Failure::Denied { .. } => Reason::LogonFailed,
        Failure::Unaskable(_) => Reason::DefectiveToken,
        Failure::Unnamed(_) => Reason::NtlmUnnamed,
        Failure::GivenUp => Reason::ExchangeInterrupted,
        Failure::Busy(_) => Reason::Busy,
        Failure::Winbind(_) => Reason::WinbindDown,
        Failure::Trust(_) => Reason::WinbindTrust,
        Failure::Clock(_) => Reason::WinbindClock,
        Failure::Rights(_) => Reason::WinbindRights,
        Failure::Helper(_) => Reason::NtlmHelperFailed,
    };
    Denied::new(reason, failure.to_string())
}

/// In units of 100 ns since 1601 (MS-DTYP 2.3.3).
fn filetime(moment: Timestamp) -> u64 {
    moment.unix().saturating_add(SECONDS_FROM_1601_TO_1970).saturating_mul(10_000_000)
}

const SECONDS_FROM_1601_TO_1970: u64 = 11_644_473_600;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_ends_with_a_dollar_is_a_computers() {
        for (user, kind) in [("jo", AccountKind::Person), ("WEB$", AccountKind::Computer)] {
            let (domain, user) = ("LAB".to_owned(), user.to_owned());
            let account = helper::Account { domain, user, dns_domain: None, sid: None };
            assert_eq!(on_the_wire(account).kind, kind);
        }
    }

    #[test]
    fn time_is_told_as_windows_counts_it() {
        // MS-DTYP counts 2000-01-01T00:00:00Z as 125911584000000000.
        assert_eq!(filetime(Timestamp::from_unix(946_684_800)), 125_911_584_000_000_000);
    }
}

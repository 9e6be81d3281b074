//! Whether people can sign on now: whether the program and winbind are there and answer.
//!
//! Only the probe decides, never a client's sign-on, because a client can name a domain that is
//! down. A sign-on that fails because of winbind starts a probe at once.

use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

use super::dialogue::server_1::{Answer, Question};
use super::dialogue::squid::{self, Opening};
use super::failure::status::{Denial, Meaning, meaning};
use super::failure::{Broken, Failure};
use super::pool::helpers::Helpers;
use super::process::{Process, commands};
use super::winbind::{Silent, Winbind, without_winbind};
use crate::clock;
use crate::config::section::{HelperProtocol, Ntlm};

/// Why nobody can sign on by NTLM now. Displayed as the sentence for `/ready`.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub(crate) enum NotReady {
    /// The pool was started a moment ago.
    #[error("the helpers are being started")]
    Starting,
    /// Something has to be mended, or waited for.
    #[error(transparent)]
    Failing(Failure),
}

/// What the last probe saw.
#[derive(Debug)]
pub(super) struct Health {
    seen: watch::Sender<Result<(), NotReady>>,
    doubt: Notify,
    /// Whether somebody wrote that NTLM is to be offered. By default it is offered only
    /// where it works.
    asked_for: bool,
}

impl Health {
    /// Nothing is known yet.
    pub(super) fn new(asked_for: bool) -> Self {
        let seen = watch::Sender::new(Err(NotReady::Starting));
        Self { seen, doubt: Notify::new(), asked_for }
    }

    /// What the last probe saw.
    pub(super) fn seen(&self) -> Result<(), NotReady> {
        self.seen.borrow().clone()
    }

    /// Waits until the first probe has seen something.
    pub(super) async fn known(&self) {
        let known = |seen: &Result<(), NotReady>| *seen != Err(NotReady::Starting);
        // The sender is ours, and lives.
        let _ = self.seen.subscribe().wait_for(known).await;
    }

    /// Something failed: the probe looks at once.
    pub(super) fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// A helper cannot be started, and it is known why.
    pub(super) fn cannot_start(&self, failure: Failure) {
        self.see(Err(NotReady::Failing(failure)));
    }

    fn see(&self, seen: Result<(), NotReady>) {
        self.seen.send_if_modified(|last| {
            if *last == seen {
                return false;
            }
            match &seen {
                Ok(()) => tracing::info!("NTLM sign-on is ready: winbind verifies"),
                Err(NotReady::Starting) => {}
                Err(NotReady::Failing(failure)) if !self.asked_for => {
                    tracing::info!(reason = %failure, "NTLM does not work here, so it is not offered");
                }
                Err(NotReady::Failing(failure)) => {
                    tracing::error!(error = %failure, "nobody can sign on by NTLM");
                }
            }
            *last = seen;
            true
        });
    }
}

/// Looks, again and again, until the task is ended.
pub(super) async fn watch(
    settings: Arc<Ntlm>,
    helpers: Arc<Helpers>,
    winbind: Arc<Winbind>,
    health: Arc<Health>,
) {
    let mut domains_age = DOMAINS_EVERY;
    loop {
        let seen = probe(&settings, &helpers, &winbind).await;
        let healthy = seen.is_ok();
        if healthy && domains_age >= DOMAINS_EVERY && !without_winbind(&settings) {
            match winbind.refresh().await {
                Ok(()) => domains_age = Duration::ZERO,
                Err(silent) => tracing::warn!(error = %silent, "the domains are not known"),
            }
        }
        health.see(seen.map_err(NotReady::Failing));
        let rest = if healthy { HEALTHY } else { AILING };
        clock::pause(LEAST).await;
        // Nobody doubts: look again when it is time.
        let _ = timeout(rest, health.doubt.notified()).await;
        domains_age += rest;
    }
}

/// Who is at fault when winbind's answer did not come: the words are the same
/// for a winbind that does not run and for a pipe that is closed to us.
pub(super) async fn unheard(winbind: &Winbind, said: &str) -> Failure {
    match winbind.ping().await {
        Ok(()) => Failure::Rights(said.to_owned()),
        Err(Silent::NoProgram) => Failure::Winbind(said.to_owned()),
        Err(silent) => Failure::Winbind(format!("{said} ({silent})")),
    }
}

/// Who is at fault when a helper failed: one that waits for winbind in vain
/// does not answer either.
pub(super) async fn broken(winbind: &Winbind, broken: &Broken) -> Failure {
    if let (Broken::Silent(_), Err(silent @ (Silent::Late(_) | Silent::Refused(_)))) =
        (broken, winbind.ping().await)
    {
        return Failure::Winbind(silent.to_string());
    }
    Failure::Helper(broken.to_string())
}

async fn probe(settings: &Ntlm, helpers: &Helpers, winbind: &Winbind) -> Result<(), Failure> {
    if settings.helper_protocol == HelperProtocol::Squid25Ntlmssp {
        probe_exchange(helpers, winbind).await?;
    }
    probe_rights(settings, winbind).await?;
    match winbind.ping_dc().await {
        Ok(()) | Err(Silent::NoProgram) => {}
        Err(silent) => return Err(of_domain(&silent)),
    }
    match winbind.check_secret().await {
        Ok(()) | Err(Silent::NoProgram) => Ok(()),
        Err(silent) => Err(of_domain(&silent)),
    }
}

/// What winbind says of its domain, by the status in its words.
fn of_domain(silent: &Silent) -> Failure {
    let said = silent.to_string();
    let status = said.find("NT_STATUS_").and_then(|at| said.get(at..)).unwrap_or_default();
    let end = status.find(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_');
    match meaning(status.get(..end.unwrap_or(status.len())).unwrap_or_default()) {
        Meaning::Clock => Failure::Clock(said),
        Meaning::Trust => Failure::Trust(said),
        // Asked for the secret, the domain refuses this host as it does people.
        Meaning::Rights | Meaning::Denied(Denial::NoSuchUser | Denial::WrongPassword) => {
            Failure::Trust(said)
        }
        _ => Failure::Winbind(said),
    }
}

/// Begins an exchange on a helper that has nothing else to do.
async fn probe_exchange(helpers: &Helpers, winbind: &Winbind) -> Result<(), Failure> {
    let Some(mut helper) = helpers.take_idle() else { return Ok(()) };
    match commands::open(&mut helper.process, &squid::open(NEGOTIATE)?).await {
        Ok(Opening::Challenge(_)) => {
            helpers.put(helper);
            Ok(())
        }
        Ok(Opening::Refused { said } | Opening::Broken { said }) => Err(Failure::Helper(said)),
        // Others may be well, and another is started in its place.
        Err(error) if helpers.anybody() => {
            tracing::warn!(%error, "an idle helper failed its probe");
            Ok(())
        }
        Err(error) => Err(broken(winbind, &error).await),
    }
}

/// Asks a helper of its own about an account that cannot be: winbind answers
/// without asking a domain controller, if it answers this user at all.
async fn probe_rights(settings: &Ntlm, winbind: &Winbind) -> Result<(), Failure> {
    let question = Question {
        challenge: [0; 8],
        nt_response: vec![0; 44],
        user: "doorward-probe".to_owned(),
        domain: "BUILTIN".to_owned(),
    };
    let question = question.encode()?;
    let started = Process::start(settings, HelperProtocol::NtlmServer1);
    let (mut process, life) = started.map_err(|error| {
        let path = settings.ntlm_auth.display();
        Failure::Helper(format!("{path} cannot be started: {error}; correct sso.ntlm.ntlm_auth"))
    })?;
    let answer = commands::verify(&mut process, &question).await;
    life.kill().await;
    match answer {
        Ok(Answer::Yes { .. }) => Err(Failure::Helper("it accepts a wrong answer".to_owned())),
        Ok(Answer::No { said }) => match meaning(&said) {
            Meaning::Rights => Err(Failure::Rights(said)),
            Meaning::Unheard => Err(unheard(winbind, &said).await),
            // There are no logon servers for this domain: so winbind has looked.
            Meaning::Denied(_) | Meaning::Winbind => Ok(()),
            Meaning::Trust => Err(Failure::Trust(said)),
            Meaning::Clock => Err(Failure::Clock(said)),
        },
        Err(error) => Err(broken(winbind, &error).await),
    }
}

/// The shortest NEGOTIATE_MESSAGE ([MS-NLMP] 2.2.1.1) that asks for what clients ask for.
const NEGOTIATE: &[u8] = b"NTLMSSP\0\x01\0\0\0\x07\x82\x08\xa2\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";

/// While all is well.
const HEALTHY: Duration = Duration::from_secs(30);

/// While it is not: so soon after winbind is back it is known.
const AILING: Duration = Duration::from_secs(1);

/// Between two probes, whatever clients do.
const LEAST: Duration = Duration::from_millis(500);

/// Trusts between domains seldom change.
const DOMAINS_EVERY: Duration = Duration::from_secs(300);

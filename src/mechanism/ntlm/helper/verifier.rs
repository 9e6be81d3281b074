//! The way of one exchange through the helpers to a name.

use std::pin::Pin;
use std::sync::Arc;

use super::dialogue::server_1::{Answer, Question};
use super::dialogue::squid::{self, Opening};
use super::failure::status::{Denial, Meaning, meaning};
use super::failure::{Broken, Failure};
use super::health::{self, Health, NotReady};
use super::pool::helpers::{Helper, Helpers, Reservation};
use super::process::Process;
use super::process::commands::{self, Closing};
use super::values::{Account, Attempt, Logon, LogonKey, Opened};
use super::winbind::Winbind;
use super::winbind::account::{self, Naming};
use crate::config::section::{HelperProtocol, Ntlm};

/// What every exchange needs.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) settings: Arc<Ntlm>,
    pub(super) helpers: Arc<Helpers>,
    pub(super) winbind: Arc<Winbind>,
    pub(super) health: Arc<Health>,
}

/// One of [`commands`]'s.
type Dialogue<A> = for<'a> fn(
    &'a mut Process,
    &'a [u8],
) -> Pin<Box<dyn Future<Output = Result<A, Broken>> + Send + 'a>>;

impl Verifier {
    /// Has a helper begin an exchange, and keeps it.
    pub(super) async fn reserve(&self, question: &[u8]) -> Result<Opened, Failure> {
        let (helper, opening) = self
            .ask(question, |process, bytes| Box::pin(commands::open(process, bytes)), broke)
            .await?;
        match opening {
            Opening::Challenge(message) => {
                let reservation = self.helpers.reserve(helper);
                Ok(Opened::Challenge { message, reservation })
            }
            Opening::Refused { said } => {
                self.helpers.put(helper);
                Err(self.refused(said).await)
            }
            // Dropped, so that another takes its place.
            Opening::Broken { said } => Err(self.gave_up(said).await),
        }
    }

    /// Has a helper verify, and names the account.
    pub(super) async fn verify(&self, attempt: Attempt) -> Result<Logon, Failure> {
        match attempt {
            // The challenge is of before a reload, which changed the protocol.
            Attempt::Response(_)
                if self.settings.helper_protocol != HelperProtocol::NtlmServer1 =>
            {
                Err(Failure::GivenUp)
            }
            Attempt::Response(question) => self.verify_response(&question).await,
            Attempt::Message { reservation, authenticate } => {
                self.verify_message(&reservation, &authenticate).await
            }
        }
    }

    async fn verify_response(&self, question: &Question) -> Result<Logon, Failure> {
        let bytes = question.encode()?;
        let dialogue: Dialogue<_> = |process, bytes| Box::pin(commands::verify(process, bytes));
        let (helper, answer) = self.ask(&bytes, dialogue, went_unheard).await?;
        self.helpers.put(helper);
        let session_key = match answer {
            Answer::Yes { session_key } => session_key,
            Answer::No { said } => return Err(self.refused(said).await),
        };
        let domains = self.winbind.domains_or_ask().await;
        if domains.is_none() && !self.winbind.is_left_out() {
            let why = "winbind does not say whose name this is: is wbinfo installed on this host?";
            return Err(Failure::Unnamed(why.to_owned()));
        }
        let naming = account::of_message(&question.user, &question.domain, domains.as_deref());
        let account = self.account(naming).await?.of(domains.as_deref());
        Ok(Logon { account, key: Some(LogonKey::Exchange(session_key)) })
    }

    async fn verify_message(
        &self,
        reservation: &Reservation,
        authenticate: &[u8],
    ) -> Result<Logon, Failure> {
        let question = squid::close(authenticate)?;
        let (mut helper, helpers) = reservation.claim()?;
        let closing = match commands::close(&mut helper.process, &question).await {
            Ok(closing) => closing,
            Err(error) => {
                drop(helper);
                return Err(self.broken(&error).await);
            }
        };
        helpers.put(helper);
        let (name, session_key) = match closing {
            Closing::Granted { name, session_key } => (name, session_key),
            Closing::Refused { said } => return Err(self.refused(said).await),
            Closing::Broken { said } => return Err(self.gave_up(said).await),
        };
        let domains = self.winbind.domains_or_ask().await;
        let naming = account::of_grant(&name, domains.as_deref());
        let account = self.account(naming).await?.of(domains.as_deref());
        Ok(Logon { account, key: session_key.map(LogonKey::Exported) })
    }

    /// Has a helper do something that does not depend on what it did before; once
    /// more, on another one, if it fails or `fails` says so of its answer. One that
    /// was silent for as long as it may is not tried again: the client has waited
    /// long enough.
    async fn ask<A>(
        &self,
        question: &[u8],
        dialogue: Dialogue<A>,
        fails: fn(&A) -> bool,
    ) -> Result<(Helper, A), Failure> {
        let mut retried = false;
        loop {
            let mut helper = self.idle().await?;
            match dialogue(&mut helper.process, question).await {
                Ok(answer) if retried || !fails(&answer) => return Ok((helper, answer)),
                Ok(_) => {}
                Err(error) if retried || matches!(error, Broken::Silent(_)) => {
                    drop(helper);
                    return Err(self.broken(&error).await);
                }
                Err(error) => tracing::warn!(%error, "a helper failed; another one is asked"),
            }
            retried = true;
        }
    }

    /// A helper that is still there. Those that ended while they were idle do not
    /// count as tried.
    async fn idle(&self) -> Result<Helper, Failure> {
        if !self.helpers.anybody()
            && let Err(NotReady::Failing(failure)) = self.health.seen()
        {
            return Err(failure);
        }
        for _ in 0..self.settings.helpers {
            let helper = self.helpers.take().await?;
            match helper.process.quiet() {
                Ok(()) => return Ok(helper),
                Err(error) => tracing::warn!(%error, "a helper failed while it was idle"),
            }
        }
        self.helpers.take().await
    }

    /// What a helper's refusal means.
    async fn refused(&self, said: String) -> Failure {
        let failure = match meaning(&said) {
            Meaning::Denied(denial) => return Failure::Denied { denial, said },
            Meaning::Winbind => Failure::Winbind(said),
            Meaning::Trust => Failure::Trust(said),
            Meaning::Clock => Failure::Clock(said),
            Meaning::Rights => Failure::Rights(said),
            Meaning::Unheard => health::unheard(&self.winbind, &said).await,
        };
        self.health.doubt();
        failure
    }

    /// What it means that a helper could not judge. Words that nobody knows are
    /// no verdict on the client.
    async fn gave_up(&self, said: String) -> Failure {
        match self.refused(said).await {
            Failure::Denied { denial: Denial::Other, said } => {
                self.health.doubt();
                Failure::Helper(said)
            }
            failure => failure,
        }
    }

    async fn broken(&self, error: &Broken) -> Failure {
        self.health.doubt();
        health::broken(&self.winbind, error).await
    }

    async fn account(&self, naming: Naming) -> Result<Account, Failure> {
        let names = match naming {
            Naming::Is(account) => return Ok(account),
            Naming::Unnamed(why) => return Err(Failure::Unnamed(why.to_owned())),
            Naming::Lookup(names) => names,
        };
        let mut found = Vec::new();
        for name in &names {
            let named = self.winbind.account(name).await;
            found.extend(named.map_err(|silent| Failure::Winbind(silent.to_string()))?);
        }
        let none = || Failure::Unnamed(format!("winbind knows no user {}", names.join(" nor ")));
        account::the_one(found).map_err(Failure::Unnamed)?.ok_or_else(none)
    }
}

fn broke(opening: &Opening) -> bool {
    matches!(opening, Opening::Broken { .. })
}

fn went_unheard(answer: &Answer) -> bool {
    matches!(answer, Answer::No { said } if meaning(said) == Meaning::Unheard)
}

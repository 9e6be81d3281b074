//! Passwords: whether one is right, by the KDC's word or from memory, and how
//! many wrong ones are borne before further ones are not looked at any more.
//!
//! ```text
//! name ─▶ account ─▶ limits ─▶ remembered? ─▶ KDC ─▶ Verified ─▶ admit
//!                       ▲            │         │
//!                       └────────────┴─────────┘ what came of it
//! ```

use std::sync::Arc;
use std::time::Duration;

use prometheus::{IntCounterVec, Opts};
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::clock;
use crate::config::checked::Settings;
use crate::identity::{Account, Identity, Rules, Via, account, identify};
use crate::kdc::{self, Prover};
use crate::keytab;
use crate::wire::{Mechanism, Password, Reason};

mod bucket;
mod limits;
mod remembered;
mod schedule;
mod sign_on;

use bucket::Allowance;
pub(super) use limits::Origin;
use limits::{Allowances, Limited, Limits};
use remembered::Remembered;

/// The settings that decide on passwords.
#[derive(Debug)]
pub(super) struct PasswordRules {
    allowances: Allowances,
    remember: Duration,
    prover: Prover,
    default_realm: Option<String>,
}

impl PasswordRules {
    /// From the settings. The keytab is read once for the realm of names that
    /// have none: its only realm, else the only one that is configured.
    pub(super) fn new(settings: &Settings) -> Self {
        let (passwords, kerberos) = (&settings.core.passwords, &settings.sso.kerberos);
        let allowance = |attempts| Allowance { attempts, window: passwords.attempts_window };
        let configured = settings.core.realms.iter().map(|realm| realm.realm.as_str());
        let configured: Vec<&str> = configured.filter(|realm| !realm.is_empty()).collect();
        let keytab = keytab::read(&kerberos.keytab).ok();
        let held = keytab.as_ref().map(keytab::Keytab::realms).unwrap_or_default();
        let default_realm = match (held.as_slice(), configured.as_slice()) {
            ([only], _) | (_, [only]) => Some((*only).to_owned()),
            _ => None,
        };
        Self {
            allowances: Allowances {
                origin: allowance(passwords.attempts_per_address),
                account: allowance(passwords.attempts_per_account),
            },
            remember: passwords.cache,
            prover: Prover { keytab: kerberos.keytab.clone(), service: kerberos.acceptor.clone() },
            default_realm,
        }
    }
}

/// Whoever typed a name has its password. Made only here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verified {
    identity: Identity,
    /// The name, as typed.
    name: String,
    /// [`Mechanism::Basic`] or [`Mechanism::Password`].
    mechanism: Mechanism,
}

impl Verified {
    /// By what it was proven, and the name that was typed.
    pub(super) fn claim(&self) -> (Mechanism, &str) {
        (self.mechanism, &self.name)
    }

    /// Who it is, by what, and the name that was typed.
    pub(super) fn into_parts(self) -> (Identity, Mechanism, String) {
        (self.identity, self.mechanism, self.name)
    }
}

/// Why there is no [`Verified`].
#[derive(Clone, Debug, PartialEq, Eq)]
enum Denied {
    /// Name and password are not taken. All of these are answered alike.
    Refused(Reason, String),
    /// Too many wrong ones came before; this one was not looked at.
    Limited(Limited),
    /// Nobody could say whether it is right.
    Unable(Reason, String),
}

/// Checks passwords.
#[derive(Debug)]
pub(super) struct Passwords {
    limits: Limits,
    remembered: Remembered,
    threads: Arc<Semaphore>,
    queue: Semaphore,
    counts: IntCounterVec,
}

impl Passwords {
    /// With nothing remembered.
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let help = "Passwords by what came of them: asked the KDC (granted, refused), granted from \
                    memory (remembered), not looked at (limited_address, limited_account, busy), \
                    not to be checked (unable)";
        let counts =
            IntCounterVec::new(Opts::new("doorward_password_checks_total", help), &["outcome"])?;
        for outcome in OUTCOMES {
            counts.with_label_values(&[outcome]);
        }
        let remembered = Remembered::new()
            .map_err(|_| prometheus::Error::Msg("the system gives no random numbers".to_owned()))?;
        Ok(Self {
            limits: Limits::new(),
            remembered,
            threads: Arc::new(Semaphore::new(KDC_THREADS)),
            queue: Semaphore::new(KDC_QUEUE),
            counts,
        })
    }

    /// Counts by outcome.
    pub(super) fn counts(&self) -> IntCounterVec {
        self.counts.clone()
    }

    /// Whether `password` is that of whoever is meant by `name`.
    async fn check(
        &self,
        name: &str,
        password: &Password,
        origin: Origin,
        (rules, names): (&PasswordRules, &Rules),
    ) -> Result<Identity, Denied> {
        let outcome = self.judge(name, password, origin, (rules, names)).await;
        let word = match &outcome {
            Ok((_, word)) => word,
            Err(Denied::Refused(..)) => "refused",
            Err(Denied::Limited(Limited::Origin(_))) => "limited_address",
            Err(Denied::Limited(Limited::Account(_))) => "limited_account",
            Err(Denied::Limited(Limited::Busy) | Denied::Unable(Reason::Busy, _)) => "busy",
            Err(Denied::Unable(..)) => "unable",
        };
        self.counts.with_label_values(&[word]).inc();
        outcome.map(|(identity, _)| identity)
    }

    async fn judge(
        &self,
        name: &str,
        password: &Password,
        origin: Origin,
        (rules, names): (&PasswordRules, &Rules),
    ) -> Result<(Identity, &'static str), Denied> {
        let refused = |reason| Denied::Refused(reason, String::new());
        match password.reveal().len() {
            0 => return Err(refused(Reason::EmptyPassword)),
            1..=LONGEST_PASSWORD => {}
            _ => return Err(refused(Reason::PasswordTooLong)),
        }
        let who = who(name, names, rules.default_realm.as_deref());
        let key = who.as_ref().ok().map(|(account, identity)| key(account, identity));
        let pass = self.limits.admit(origin, key.as_deref(), rules.allowances).await;
        let pass = pass.map_err(Denied::Limited)?;
        let ((account, identity), key) = match (who, key) {
            (Ok(who), Some(key)) => (who, key),
            (Err(reason), _) => {
                pass.fail();
                return Err(refused(reason));
            }
            // There is a key wherever there is an account.
            (Ok(_), None) => return Err(refused(Reason::OddPrincipal)),
        };
        let now = clock::instant();
        if self.remembered.is_right(&key, password, rules.remember, now) {
            return Ok((identity, "remembered"));
        }
        match self.ask_kdc(account, password.clone(), rules.prover.clone()).await {
            Ok(()) => {
                self.remembered.keep(&key, password, clock::instant());
                self.limits.know(origin, &key);
                Ok((identity, "granted"))
            }
            Err(kdc::Refused { reason, detail }) if is_own_fault(reason) => {
                Err(Denied::Unable(reason, detail))
            }
            Err(kdc::Refused { reason, detail }) => {
                self.remembered.forget(&key);
                pass.fail();
                Err(Denied::Refused(reason, detail))
            }
        }
    }

    /// Asks the KDC on one of a few threads, which it may hold for as long as
    /// the library waits; nobody waits for it longer than [`PATIENCE`].
    async fn ask_kdc(
        &self,
        account: Account,
        password: Password,
        prover: Prover,
    ) -> Result<(), kdc::Refused> {
        let unable = |reason, detail: &str| Err(kdc::Refused { reason, detail: detail.to_owned() });
        let Ok(_place) = self.queue.try_acquire() else {
            return unable(Reason::Busy, "too many passwords wait for the KDC");
        };
        let asking = async {
            // The semaphore is never closed.
            let thread = Arc::clone(&self.threads).acquire_owned().await.ok();
            spawn_blocking(move || {
                let _held_until_the_library_is_done = thread;
                kdc::verify(&account.user, &account.realm, &password, &prover)
            })
            .await
        };
        match timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => unable(Reason::KerberosConfiguration, "the thread that asked panicked"),
            Err(_) => unable(Reason::KdcUnreachable, "no KDC answered within ten seconds"),
        }
    }
}

/// The account and who that is here.
fn who(name: &str, names: &Rules, default: Option<&str>) -> Result<(Account, Identity), Reason> {
    let account = account(name, names, default)?;
    let via = Via::Kerberos { acceptor_realm: Some(&account.realm) };
    let identity = identify(&account.principal(), via, names)?;
    Ok((account, identity))
}

/// One for every spelling of an account: neither realm nor login holds a line end.
fn key(account: &Account, identity: &Identity) -> String {
    format!("{}\n{}", identity.login(), account.realm)
}

/// Whether the password may well be right, and only cannot be checked.
const fn is_own_fault(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::KdcUnreachable
            | Reason::KdcUnproven
            | Reason::KerberosConfiguration
            | Reason::KeytabUnreadable
            | Reason::Busy
    )
}

/// Bytes of a password. Domains stop at 256 characters.
const LONGEST_PASSWORD: usize = 1024;
/// Threads that ask the KDC: some 200 questions a second.
const KDC_THREADS: usize = 4;
/// Passwords that may wait for the KDC, or for its answer.
const KDC_QUEUE: usize = 256;
/// How long anybody waits for the KDC.
const PATIENCE: Duration = Duration::from_secs(10);
/// The words of `doorward_password_checks_total`.
const OUTCOMES: [&str; 7] =
    ["granted", "remembered", "refused", "limited_address", "limited_account", "busy", "unable"];

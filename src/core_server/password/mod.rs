//! Passwords: whether one is right, according to the KDC or the cache, and how many wrong ones are
//! allowed before further ones are refused unchecked.
//!
//! ```text
//! name ─▶ limits ─▶ account ─▶ limits ─▶ remembered? ─▶ KDC ─▶ Verified ─▶ admit
//!           ▲     (KDC's salt)   ▲            │         │
//!           └────────────────────┴────────────┴─────────┘ what came of it
//! ```
//!
//! An account has many names, and only the KDC knows which are one account's. So
//! wrong passwords count for the name that was typed and for the account behind
//! it; and who signs on is the account of the KDC's ticket.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use moka::sync::Cache;
use prometheus::IntCounterVec;
use secrecy::ExposeSecret as _;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;
use tokio::time::timeout;

use crate::clock;
use crate::core_server::metrics::password_checks;
use crate::identity::{Rules, Typed, Via, identify, typed};
use crate::krb5::kdc::{self, Prover};
use crate::krb5::pac::Said;
use crate::wire::{Denied, Password, Reason};

mod attempts;
mod bucket;
mod limits;
mod outcome;
mod remembered;
mod rules;

use limits::Limits;
pub(super) use limits::{Limited, Origin};
use outcome::identified;
pub(super) use outcome::{Unverified, Verified};
use remembered::Remembered;
pub(super) use rules::PasswordRules;

/// Checks passwords.
#[derive(Debug)]
pub(super) struct Passwords {
    limits: Limits,
    /// Those that a front checks.
    attempts: Mutex<attempts::Open>,
    /// Names of those for whose accounts the KDC was asked a moment ago,
    asked: Cache<String, ()>,
    /// and places for such questions.
    learning: Arc<Semaphore>,
    /// The accounts behind principals, by the KDC's word of the last hour.
    accounts: Cache<String, Arc<str>>,
    remembered: Remembered,
    threads: Arc<Semaphore>,
    queue: Semaphore,
    counts: IntCounterVec,
}

impl Passwords {
    /// With nothing remembered.
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let counts = password_checks()?;
        for outcome in OUTCOMES {
            counts.with_label_values(&[outcome]);
        }
        let remembered = Remembered::new()
            .map_err(|_| prometheus::Error::Msg("the system has no random numbers".to_owned()))?;
        Ok(Self {
            limits: Limits::new(),
            attempts: Mutex::default(),
            asked: Cache::builder().max_capacity(MOST_NAMES).time_to_live(ASKED_AGAIN).build(),
            learning: Arc::new(Semaphore::new(KDC_THREADS)),
            accounts: Cache::builder().max_capacity(MOST_NAMES).time_to_live(NAMED_FOR).build(),
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
    ///
    /// # Errors
    /// It is not, it was not checked, or nobody could say.
    pub(super) async fn check(
        &self,
        name: &str,
        password: &Password,
        origin: Origin,
        (rules, names): (&PasswordRules, &Rules),
    ) -> Result<Verified, Unverified> {
        let outcome = self.judge(name, password, origin, (rules, names)).await;
        let word = match &outcome {
            Ok((_, word)) => word,
            Err(Unverified::Refused(_)) => "refused",
            Err(Unverified::Limited(Limited::Origin(_))) => "limited_address",
            Err(Unverified::Limited(Limited::Account(_))) => "limited_account",
            Err(Unverified::Limited(Limited::Busy)) => "busy",
            Err(Unverified::Unable(denied)) if denied.reason == Reason::Busy => "busy",
            Err(Unverified::Unable(_)) => "unable",
        };
        self.counts.with_label_values(&[word]).inc();
        outcome.map(|(verified, _)| verified)
    }

    async fn judge(
        &self,
        name: &str,
        password: &Password,
        origin: Origin,
        (rules, names): (&PasswordRules, &Rules),
    ) -> Result<(Verified, &'static str), Unverified> {
        let refused = |reason: Reason| Unverified::Refused(reason.into());
        match password.expose_secret().len() {
            0 => return Err(refused(Reason::EmptyPassword)),
            1..=LONGEST_PASSWORD => {}
            _ => return Err(refused(Reason::PasswordTooLong)),
        }
        let who = who(name, names, rules.default_realm.as_deref());
        let key = who.as_ref().ok().map(|(_, key)| key.as_str());
        let pass = self.limits.admit(origin, key, rules.allowances).await;
        let mut pass = pass.map_err(Unverified::Limited)?;
        let (typed, key) = match who {
            Ok(who) => who,
            Err(reason) => {
                pass.fail();
                return Err(refused(reason));
            }
        };
        let principal = typed.principal();
        let account = self.account(&typed, &principal, &key).await?;
        if *account != *key {
            let more = self.limits.admit_account(origin, &account, rules.allowances).await;
            pass.join(more.map_err(Unverified::Limited)?);
        }
        let (said, word) = match self.remembered.said(
            &account,
            &principal,
            password,
            rules.remember,
            clock::instant(),
        ) {
            Some(said) => (said, "remembered"),
            None => match self.verify(typed, password.clone(), rules.prover.clone()).await {
                Ok(said) => {
                    let now = clock::instant();
                    self.remembered.keep(&account, &principal, password, said.clone(), now);
                    self.limits.know(origin, &key);
                    self.limits.know(origin, &account);
                    (said, "granted")
                }
                Err(denied) if denied.reason == Reason::PacMissing => {
                    return Err(Unverified::Refused(denied));
                }
                Err(refused) if kdc::is_fault_of_user(refused.reason) => {
                    self.remembered.forget(&account);
                    pass.fail();
                    return Err(Unverified::Refused(refused));
                }
                Err(refused) => return Err(Unverified::Unable(refused)),
            },
        };
        let verified = identified(principal, name, said, names).map_err(Unverified::Refused)?;
        Ok((verified, word))
    }

    /// By what wrong passwords count and right ones are remembered for the account
    /// behind a name; `key` where the KDC tells nothing.
    async fn account(
        &self,
        typed: &Typed,
        principal: &str,
        key: &str,
    ) -> Result<Arc<str>, Unverified> {
        if let Some(account) = self.accounts.get(principal) {
            return Ok(account);
        }
        let Typed { user, realm } = typed.clone();
        let asked = self.ask_kdc(move || kdc::salt(&user, &realm)).await;
        let salt = asked.map_err(Unverified::Unable)?;
        let Some(salt) = salt else { return Ok(key.into()) };
        let salt = String::from_utf8_lossy(&salt);
        let account: Arc<str> = format!("{salt}\n{}\nsalt", typed.realm).into();
        self.accounts.insert(principal.to_owned(), Arc::clone(&account));
        Ok(account)
    }

    async fn verify(
        &self,
        typed: Typed,
        password: Password,
        prover: Prover,
    ) -> Result<Option<Said>, Denied> {
        self.ask_kdc(move || kdc::verify(&typed.user, &typed.realm, &password, &prover)).await
    }

    /// Asks the KDC on one of a few threads, which it may hold for as long as
    /// the library waits; nobody waits for it longer than [`PATIENCE`].
    async fn ask_kdc<T: Send + 'static>(
        &self,
        question: impl FnOnce() -> Result<T, Denied> + Send + 'static,
    ) -> Result<T, Denied> {
        let unable = |reason, detail: &str| Err(Denied::new(reason, detail));
        let Ok(_place) = self.queue.try_acquire() else {
            return unable(Reason::Busy, "too many passwords wait for the KDC");
        };
        let asking = async {
            // The semaphore is never closed.
            let thread = Arc::clone(&self.threads).acquire_owned().await.ok();
            spawn_blocking(move || {
                let _held_until_the_library_is_done = thread;
                question()
            })
            .await
        };
        match timeout(PATIENCE, asking).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => {
                unable(Reason::KerberosConfiguration, "the thread that asked the KDC panicked")
            }
            Err(_) => unable(Reason::KdcUnreachable, "no KDC answered within ten seconds"),
        }
    }
}

/// The principal that was typed, and the one key for every spelling of it: neither
/// realm nor login holds a line end.
fn who(name: &str, names: &Rules, default: Option<&str>) -> Result<(Typed, String), Reason> {
    let typed = typed(name, names, default)?;
    let via = Via::Kerberos { acceptor_realm: Some(&typed.realm) };
    let identity = identify(&typed.principal(), via, names)?;
    let key = format!("{}\n{}", identity.login(), typed.realm);
    Ok((typed, key))
}

/// Bytes of a password. Domains stop at 256 characters.
const LONGEST_PASSWORD: usize = 1024;
/// Threads that ask the KDC: some 200 questions a second.
const KDC_THREADS: usize = 4;
/// Passwords that may wait for the KDC, or for its answer.
const KDC_QUEUE: usize = 256;
/// Principals whose accounts are remembered at most.
const MOST_NAMES: u64 = 50_000;
/// For how long they are: as long as a right password may be.
const NAMED_FOR: Duration = Duration::from_secs(60 * 60);
/// A name that the KDC did not know is asked for again after this.
const ASKED_AGAIN: Duration = Duration::from_secs(60);
/// How long anybody waits for the KDC.
const PATIENCE: Duration = Duration::from_secs(10);
/// The words of `doorward_password_checks_total`.
const OUTCOMES: [&str; 7] =
    ["granted", "remembered", "refused", "limited_address", "limited_account", "busy", "unable"];

//! Limits of wrong passwords: for each address, for each account, and apart
//! from both for each pair of them that has signed on before.

use std::fmt;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::bucket::{Allowance, Bucket, Leave};
use crate::clock;

/// Where an attempt comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::core_server) enum Origin {
    /// A network: one address of IPv4, or the 64 bits that a customer has of IPv6.
    Network(IpAddr),
    /// A program of this host, by its uid.
    Program(u32),
}

impl Origin {
    /// The network that an address belongs to.
    pub(in crate::core_server) fn of(address: IpAddr) -> Self {
        Self::Network(match address.to_canonical() {
            IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
            v4 => v4,
        })
    }
}

/// What is allowed, by the settings of this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Allowances {
    /// Of an address.
    pub(super) origin: Allowance,
    /// Of an account; and of an account at an address that is known for it.
    pub(super) account: Allowance,
}

/// All that is remembered of wrong passwords. Bounded in number; it does not
/// outlive the process.
#[derive(Debug)]
pub(super) struct Limits {
    origins: Table<Origin>,
    accounts: Table<String>,
    known: Table<(String, Origin)>,
}

type Table<K> = Cache<K, Arc<Guarded>>;

#[derive(Debug, Default)]
struct Guarded {
    bucket: Mutex<Bucket>,
    freed: Notify,
}

/// Whose limit is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::core_server) enum Limited {
    /// The address's: again after so much time.
    Origin(Duration),
    /// The account's, or that of the account at this address.
    Account(Duration),
    /// Too many attempts wait for those before them.
    Busy,
}

/// One of the limits that an attempt has to pass.
struct Gate {
    guarded: Arc<Guarded>,
    allowance: Allowance,
    limited: fn(Duration) -> Limited,
}

impl Gate {
    fn begin(&self) -> Leave {
        self.guarded.change(|bucket| bucket.begin(clock::instant(), self.allowance))
    }
}

/// Leave for one attempt. Unless it is told to have failed, it costs nothing.
#[derive(Debug, Default)]
pub(super) struct Pass(Vec<(Arc<Guarded>, Allowance)>);

impl Limits {
    pub(super) fn new() -> Self {
        Self { origins: table(FORGOTTEN), accounts: table(FORGOTTEN), known: table(KNOWN_FOR) }
    }

    /// Lets an attempt begin, or says why not; waits for those before it.
    /// `account` is the canonical one; `None` where the name cannot be one.
    pub(super) async fn admit(
        &self,
        origin: Origin,
        account: Option<&str>,
        allowances: Allowances,
    ) -> Result<Pass, Limited> {
        let mut pass = Pass::default();
        for gate in self.gates(origin, account, allowances) {
            pass.take(gate).await?;
        }
        Ok(pass)
    }

    /// The same without waiting: `None` where it would have to.
    pub(super) fn try_admit(
        &self,
        origin: Origin,
        account: Option<&str>,
        allowances: Allowances,
    ) -> Result<Option<Pass>, Limited> {
        Pass::default().try_take(self.gates(origin, account, allowances))
    }

    /// What an attempt has to pass.
    fn gates(&self, origin: Origin, account: Option<&str>, allowances: Allowances) -> Vec<Gate> {
        let of_account =
            |guarded| Gate { guarded, allowance: allowances.account, limited: Limited::Account };
        let known = account.and_then(|account| self.known.get(&(account.to_owned(), origin)));
        if let Some(known) = known {
            return vec![of_account(known)];
        }
        let of_origin = Gate {
            guarded: self.origins.get_with(origin, Arc::default),
            allowance: allowances.origin,
            limited: Limited::Origin,
        };
        let account = account.map(|account| self.accounts.get_with_by_ref(account, Arc::default));
        [Some(of_origin), account.map(of_account)].into_iter().flatten().collect()
    }

    /// The same for the account behind a name whose attempt was let begin already.
    pub(super) async fn admit_account(
        &self,
        origin: Origin,
        account: &str,
        allowances: Allowances,
    ) -> Result<Pass, Limited> {
        let mut pass = Pass::default();
        pass.take(self.gate_of(origin, account, allowances)).await?;
        Ok(pass)
    }

    /// The same without waiting.
    pub(super) fn try_admit_account(
        &self,
        origin: Origin,
        account: &str,
        allowances: Allowances,
    ) -> Result<Option<Pass>, Limited> {
        Pass::default().try_take([self.gate_of(origin, account, allowances)])
    }

    fn gate_of(&self, origin: Origin, account: &str, allowances: Allowances) -> Gate {
        let known = self.known.get(&(account.to_owned(), origin));
        let guarded = known.unwrap_or_else(|| self.accounts.get_with_by_ref(account, Arc::default));
        Gate { guarded, allowance: allowances.account, limited: Limited::Account }
    }

    /// From now on, the account has an allowance of its own at this address.
    pub(super) fn know(&self, origin: Origin, account: &str) {
        self.known.get_with((account.to_owned(), origin), Arc::default);
    }
}

impl Pass {
    /// Both at once.
    pub(super) fn join(&mut self, mut other: Self) {
        self.0.append(&mut other.0);
    }

    /// The password was wrong.
    pub(super) fn fail(mut self) {
        let now = clock::instant();
        for (guarded, allowance) in self.0.drain(..) {
            guarded.change(|bucket| bucket.fail(now, allowance));
            guarded.freed.notify_waiters();
        }
    }

    fn try_take(mut self, gates: impl IntoIterator<Item = Gate>) -> Result<Option<Self>, Limited> {
        for gate in gates {
            match gate.begin() {
                Leave::Go => self.0.push((gate.guarded, gate.allowance)),
                Leave::Wait => return Ok(None),
                Leave::Stop(time) => return Err((gate.limited)(time)),
            }
        }
        Ok(Some(self))
    }

    async fn take(&mut self, gate: Gate) -> Result<(), Limited> {
        loop {
            // Registered before the question, so that no release is missed.
            let mut freed = pin!(gate.guarded.freed.notified());
            freed.as_mut().enable();
            match gate.begin() {
                Leave::Go => break,
                Leave::Stop(time) => return Err((gate.limited)(time)),
                Leave::Wait => timeout(PATIENCE, freed).await.map_err(|_| Limited::Busy)?,
            }
        }
        self.0.push((gate.guarded, gate.allowance));
        Ok(())
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        for (guarded, _) in &self.0 {
            guarded.change(Bucket::release);
            guarded.freed.notify_waiters();
        }
    }
}

impl Guarded {
    fn change<T>(&self, change: impl FnOnce(&mut Bucket) -> T) -> T {
        change(&mut self.bucket.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl fmt::Display for Limited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Origin(_) => "of this address",
            Self::Account(_) => "for this account",
            Self::Busy => "too many attempts at once",
        })
    }
}

fn table<K: Hash + Eq + Send + Sync + 'static>(idle: Duration) -> Table<K> {
    Cache::builder().max_capacity(MOST).time_to_idle(idle).build()
}

/// Entries of each table at most: some 20 MB when all are full.
const MOST: u64 = 50_000;
/// Longer than any window that can be configured.
const FORGOTTEN: Duration = Duration::from_secs(25 * 60 * 60);
/// An address where nobody has signed on for so long is known no more.
const KNOWN_FOR: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How long an attempt waits for those before it.
const PATIENCE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    const ALLOWANCES: Allowances = Allowances {
        origin: Allowance { attempts: 20, window: Duration::from_secs(600) },
        account: Allowance { attempts: 5, window: Duration::from_secs(600) },
    };

    fn network(number: u32) -> Origin {
        Origin::of(IpAddr::V4(number.into()))
    }

    async fn fails(limits: &Limits, origin: Origin, account: &str) -> Result<(), Limited> {
        limits.admit(origin, Some(account), ALLOWANCES).await.map(Pass::fail)
    }

    #[test]
    fn an_ipv6_customer_is_one_network() {
        let of = |address: &str| Origin::of(address.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1:2:3"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[tokio::test]
    async fn many_addresses_have_together_what_one_account_allows() {
        let limits = Limits::new();
        let mut admitted = 0;
        for number in 0..10_000 {
            admitted += u32::from(fails(&limits, network(number), "john").await.is_ok());
        }
        assert!((5..=6).contains(&admitted), "{admitted}");
    }

    #[tokio::test]
    async fn one_address_has_what_it_allows_for_all_accounts() {
        let limits = Limits::new();
        let mut admitted = 0;
        for number in 0..10_000 {
            let tried = fails(&limits, network(1), &format!("user{number}")).await;
            admitted += u32::from(tried.is_ok());
        }
        assert!((20..=21).contains(&admitted), "{admitted}");
    }

    #[tokio::test]
    async fn a_known_address_keeps_its_own_allowance_whatever_others_do() {
        let limits = Limits::new();
        let home = network(7);
        limits.know(home, "john");
        for number in 100..200 {
            let _ = fails(&limits, network(number), "john").await;
            let _ = fails(&limits, home, &format!("user{number}")).await;
        }
        assert!(matches!(fails(&limits, network(8), "john").await, Err(Limited::Account(_))));
        assert!(matches!(fails(&limits, home, "mary").await, Err(Limited::Origin(_))));
        for _ in 0..5 {
            assert_eq!(fails(&limits, home, "john").await, Ok(()));
        }
        assert!(matches!(fails(&limits, home, "john").await, Err(Limited::Account(_))));
    }

    #[tokio::test]
    async fn what_is_remembered_is_bounded() {
        let limits = Limits::new();
        for number in 0..200_000 {
            limits.origins.get_with(network(number), Arc::default);
        }
        limits.origins.run_pending_tasks();
        assert!(limits.origins.entry_count() <= MOST, "{}", limits.origins.entry_count());
    }
}

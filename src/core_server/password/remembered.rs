//! Passwords that were right a moment ago, so that a client which sends its
//! password with every request does not ask the KDC with every request.

use std::fmt;
use std::time::{Duration, Instant};

use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac::{self, HMAC_SHA256, Key};
use aws_lc_rs::rand::SystemRandom;
use moka::sync::Cache;

use crate::wire::Password;

/// For each account the last password that a KDC called right, under a keyed
/// hash (HMAC-SHA-256) whose key lives and dies with the process.
pub(super) struct Remembered {
    key: Key,
    right: Cache<String, Right>,
}

#[derive(Clone, Copy)]
struct Right {
    tag: [u8; 32],
    since: Instant,
}

impl Remembered {
    /// Makes a key.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub(super) fn new() -> Result<Self, Unspecified> {
        let key = Key::generate(HMAC_SHA256, &SystemRandom::new())?;
        let right = Cache::builder().max_capacity(MOST).time_to_live(LONGEST).build();
        Ok(Self { key, right })
    }

    /// Whether this was the account's password less than `within` ago.
    pub(super) fn is_right(
        &self,
        account: &str,
        password: &Password,
        within: Duration,
        now: Instant,
    ) -> bool {
        self.right.get(account).is_some_and(|right| {
            now.saturating_duration_since(right.since) < within
                && hmac::verify(&self.key, &message(account, password), &right.tag).is_ok()
        })
    }

    /// The KDC called a password right; a former one of the account is right no more.
    pub(super) fn keep(&self, account: &str, password: &Password, now: Instant) {
        let mut tag = [0; 32];
        tag.copy_from_slice(hmac::sign(&self.key, &message(account, password)).as_ref());
        self.right.insert(account.to_owned(), Right { tag, since: now });
    }

    /// The KDC refused the account.
    pub(super) fn forget(&self, account: &str) {
        self.right.invalidate(account);
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remembered({} passwords)", self.right.entry_count())
    }
}

/// Account and password, parted by a byte that stands in neither's UTF-8.
fn message(account: &str, password: &Password) -> zeroize::Zeroizing<Vec<u8>> {
    [account.as_bytes(), &[0xff], password.reveal().as_bytes()].concat().into()
}

/// Accounts at most; past that, the KDC is asked more often.
const MOST: u64 = 10_000;
/// Longer than any time that can be configured.
const LONGEST: Duration = Duration::from_secs(3_600);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    const MINUTE: Duration = Duration::from_secs(60);

    fn password(text: &str) -> Password {
        Password::new(text.to_owned().into())
    }

    #[test]
    fn only_the_last_right_password_of_the_account_is_right_and_for_its_time() {
        let (remembered, now) = (Remembered::new().unwrap(), clock::instant());
        let right = |account: &str, text: &str, now| {
            remembered.is_right(account, &password(text), MINUTE, now)
        };
        remembered.keep("john", &password("old"), now);
        assert!(right("john", "old", now));
        assert!(!right("john", "odd", now));
        assert!(!right("mary", "old", now));
        assert!(!right("joh", "nold", now));
        assert!(!right("john", "old", now + MINUTE));
        assert!(!remembered.is_right("john", &password("old"), Duration::ZERO, now), "off");
        remembered.keep("john", &password("new"), now);
        assert!(!right("john", "old", now));
        assert!(right("john", "new", now));
        remembered.forget("john");
        assert!(!right("john", "new", now));
    }
}

//! Passwords that were right a moment ago, so that a client which sends its
//! password with every request does not ask the KDC with every request.

use std::fmt;
use std::time::{Duration, Instant};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::error::Unspecified;
use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key, Tag};
use aws_lc_rs::rand::SystemRandom;
use moka::sync::Cache;
use secrecy::ExposeSecret as _;

use crate::krb5::pac::Said;
use crate::wire::Password;

/// For each account the last password that a KDC called right, under a keyed
/// hash (HMAC-SHA-256) whose key lives and dies with the process. The library holds the key, and
/// wipes it.
pub(super) struct Remembered {
    key: Key,
    right: Cache<String, Right>,
}

#[derive(Clone)]
struct Right {
    tag: [u8; 32],
    since: Instant,
    said: Option<Said>,
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

    /// What the KDC said, if this was the account's password under this name less
    /// than `within` ago.
    pub(super) fn said(
        &self,
        account: &str,
        principal: &str,
        password: &Password,
        within: Duration,
        now: Instant,
    ) -> Option<Option<Said>> {
        let right = self.right.get(account)?;
        let fresh = now.saturating_duration_since(right.since) < within;
        let same = fresh
            && verify_slices_are_equal(self.tag(principal, password).as_ref(), &right.tag).is_ok();
        same.then_some(right.said)
    }

    /// The KDC called a password right; a former one of the account is right no more.
    pub(super) fn keep(
        &self,
        account: &str,
        principal: &str,
        password: &Password,
        said: Option<Said>,
        now: Instant,
    ) {
        let mut tag = [0; 32];
        tag.copy_from_slice(self.tag(principal, password).as_ref());
        self.right.insert(account.to_owned(), Right { tag, since: now, said });
    }

    /// The KDC refused the account.
    pub(super) fn forget(&self, account: &str) {
        self.right.invalidate(account);
    }

    /// Of principal and password, parted by a byte that is in neither's UTF-8.
    fn tag(&self, principal: &str, password: &Password) -> Tag {
        let mut context = Context::with_key(&self.key);
        context.update(principal.as_bytes());
        context.update(&[0xff]);
        context.update(password.expose_secret().as_bytes());
        context.sign()
    }
}

impl fmt::Debug for Remembered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Remembered({} passwords)", self.right.entry_count())
    }
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
        Password::new(text.into())
    }

    #[test]
    fn only_the_last_right_password_of_the_account_is_right_and_for_its_time() {
        let (remembered, now) = (Remembered::new().unwrap(), clock::instant());
        let said = |account: &str, principal: &str, text: &str, within, now| {
            remembered.said(account, principal, &password(text), within, now).is_some()
        };
        let right = |account: &str, text: &str, now| said(account, account, text, MINUTE, now);
        let keep = |text: &str| remembered.keep("john", "john", &password(text), None, now);
        keep("old");
        assert!(right("john", "old", now));
        assert!(!right("john", "odd", now));
        assert!(!right("mary", "old", now));
        assert!(!said("john", "joh", "nold", MINUTE, now));
        assert!(!said("john", "j.doe", "old", MINUTE, now), "by another name the KDC is asked");
        assert!(!right("john", "old", now + MINUTE));
        assert!(!said("john", "john", "old", Duration::ZERO, now), "off");
        keep("new");
        assert!(!right("john", "old", now));
        assert!(right("john", "new", now));
        remembered.forget("john");
        assert!(!right("john", "new", now));
    }
}

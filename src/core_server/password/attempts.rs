//! Attempts that a front has checked elsewhere (NTLM, by winbind): they share the limits of
//! passwords that are checked here.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::limits::{Allowances, Pass};
use super::{Limited, Origin, Passwords, who};
use crate::clock;
use crate::core_server::Core;
use crate::core_server::peer::Peer;
use crate::core_server::refusal::Refusal;
use crate::identity::{Rules, Typed};
use crate::wire::Reason;
use crate::wire::attempts::{
    Attempt, AttemptAnswer, AttemptAnswers, AttemptVerdict, Attempts, EndedAttempt,
};

/// The attempts that had leave, and have not ended.
#[derive(Debug, Default)]
pub(super) struct Open {
    passes: HashMap<u64, Entry>,
    next: u64,
}

#[derive(Debug)]
struct Entry {
    pass: Pass,
    /// The account behind the name for which it counts, too.
    account: Option<Arc<str>>,
    origin: Origin,
    meant: Meant,
    since: Instant,
}

/// Whom an attempt means.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Meant {
    /// By what it is counted.
    key: String,
    /// As a principal, where a realm of ours has it: the KDC knows the account behind it.
    typed: Option<Typed>,
}

impl Core {
    /// Counts what came of attempts, then gives leave to those that begin.
    pub(in crate::core_server) fn attempts(
        self: &Arc<Self>,
        peer: &Peer,
        Attempts { begin, end }: Attempts,
    ) -> AttemptAnswers {
        let policy = self.policy.load_full();
        for ended in end {
            self.passwords.ended(ended, policy.passwords.allowances);
        }
        let mut answers = Vec::with_capacity(begin.len());
        for attempt in begin {
            let origin = match attempt.client {
                Some(address) => Origin::of(address),
                None => Origin::Program(peer.uid().unwrap_or(u32::MAX)),
            };
            let default = policy.passwords.default_realm.as_deref();
            let meant = meant(&attempt, &policy.identity, default);
            self.learn_account(&meant);
            answers.push(self.passwords.begin(meant, origin, policy.passwords.allowances));
        }
        AttemptAnswers { answers }
    }

    /// Has the KDC tell which account is behind a name. Nobody waits for that:
    /// winbind may answer where no KDC does.
    fn learn_account(self: &Arc<Self>, meant: &Meant) {
        let Meant { key, typed: Some(typed) } = meant.clone() else { return };
        let principal = typed.principal();
        let passwords = &self.passwords;
        if passwords.account_behind(meant).is_some() || passwords.asked.contains_key(&principal) {
            return;
        }
        // A flood of names must not fill the queue of those whose password is checked.
        let Ok(place) = Arc::clone(&passwords.learning).try_acquire_owned() else { return };
        passwords.asked.insert(principal.clone(), ());
        let core = Arc::clone(self);
        tokio::spawn(async move {
            // What goes wrong here is no matter of whoever signs on by NTLM.
            let _ = core.passwords.account(&typed, &principal, &key).await;
            drop(place);
        });
    }

    /// Attempts of which nothing was heard count as wrong. To be called about once a second.
    pub(in crate::core_server) fn sweep_attempts(&self) {
        self.passwords.give_up(clock::instant());
    }
}

impl Passwords {
    /// The account behind a name, where the KDC has told it.
    fn account_behind(&self, meant: &Meant) -> Option<Arc<str>> {
        self.accounts.get(&meant.typed.as_ref()?.principal())
    }

    fn begin(&self, meant: Meant, origin: Origin, allowances: Allowances) -> AttemptAnswer {
        let account = self.account_behind(&meant).filter(|account| **account != meant.key);
        let limited = match self.try_admit(&meant.key, account.as_deref(), origin, allowances) {
            Ok(Some(pass)) => {
                let mut open = self.open();
                if open.passes.len() < MOST {
                    let number = open.next;
                    open.next += 1;
                    let since = clock::instant();
                    open.passes.insert(number, Entry { pass, account, origin, meant, since });
                    return AttemptAnswer::Begun(number);
                }
                Limited::Busy
            }
            Ok(None) => return AttemptAnswer::Wait,
            Err(limited) => limited,
        };
        let refusal = match limited {
            Limited::Origin(time) | Limited::Account(time) => Refusal::too_many_attempts(time),
            Limited::Busy => Refusal::unable(Reason::Busy),
        };
        AttemptAnswer::Refused(refusal.into_body())
    }

    fn try_admit(
        &self,
        key: &str,
        account: Option<&str>,
        origin: Origin,
        allowances: Allowances,
    ) -> Result<Option<Pass>, Limited> {
        let Some(mut pass) = self.limits.try_admit(origin, Some(key), allowances)? else {
            return Ok(None);
        };
        let Some(account) = account else { return Ok(Some(pass)) };
        Ok(self.limits.try_admit_account(origin, account, allowances)?.map(|more| {
            pass.join(more);
            pass
        }))
    }

    fn ended(&self, EndedAttempt { attempt, verdict }: EndedAttempt, allowances: Allowances) {
        // A number of before a restart: its count is gone, too.
        let Some(entry) = self.open().passes.remove(&attempt) else { return };
        let Entry { pass, account, origin, meant, .. } = entry;
        // The KDC may have told the account since the attempt began.
        let told = self.account_behind(&meant).filter(|told| **told != meant.key);
        match verdict {
            AttemptVerdict::Right => {
                self.limits.know(origin, &meant.key);
                if let Some(account) = account.or(told) {
                    self.limits.know(origin, &account);
                }
            }
            AttemptVerdict::Wrong => {
                pass.fail();
                if let (None, Some(told)) = (account, told)
                    && let Ok(Some(more)) = self.limits.try_admit_account(origin, &told, allowances)
                {
                    more.fail();
                }
            }
            AttemptVerdict::Unknown => {}
        }
    }

    fn give_up(&self, now: Instant) {
        let late = |entry: &Entry| now.saturating_duration_since(entry.since) > PATIENCE;
        let late: Vec<Entry> = {
            let mut open = self.open();
            open.passes.extract_if(|_, entry| late(entry)).map(|(_, entry)| entry).collect()
        };
        for entry in late {
            entry.pass.fail();
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whom an attempt means, counted as typed names are. winbind takes a domain that
/// it does not know for its own, and a directory passes over blanks; so does this,
/// or every spelling had a count of its own.
fn meant(attempt: &Attempt, names: &Rules, default: Option<&str>) -> Meant {
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (user, domain) = (words(&attempt.user), words(&attempt.domain));
    let (name, suffix) = match user.rsplit_once('@') {
        Some((name, suffix)) => (words(name), words(suffix)),
        None => (user.clone(), String::new()),
    };
    let mut spellings = Vec::new();
    if !domain.is_empty() {
        spellings.extend([format!("{domain}\\{name}"), format!("{name}@{domain}")]);
    }
    if !suffix.is_empty() {
        spellings.push(format!("{name}@{suffix}"));
    }
    spellings.push(name.clone());
    match spellings.iter().find_map(|spelling| who(spelling, names, default).ok()) {
        Some((typed, key)) => Meant { key, typed: Some(typed) },
        // One that no realm of ours has is counted by its name alone.
        None => Meant { key: format!("{}\n", name.to_lowercase()), typed: None },
    }
}

/// Attempts that may be open at once.
const MOST: usize = 65_536;
/// Longer than a helper may take with everything before it.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Realm, Strip};

    #[test]
    fn every_spelling_of_an_account_is_counted_under_one_name() {
        let realm = |realm: &str, domain: &str| Realm {
            realm: realm.to_owned(),
            domain: domain.to_owned(),
            strip: Strip::Exact,
            company: String::new(),
            case_sensitive: false,
        };
        let listed = Rules::new(&[realm("EXAMPLE.TEST", "EX")], &[], Vec::new());
        let own = Rules::new(&[], &[], vec!["EXAMPLE.TEST".to_owned()]);
        let of = |rules: &Rules, domain: &str, user: &str| {
            let attempt =
                Attempt { user: user.to_owned(), domain: domain.to_owned(), client: None };
            meant(&attempt, rules, Some("EXAMPLE.TEST")).key
        };
        for rules in [&listed, &own] {
            for (domain, user) in [
                ("EX", "john"),
                ("ex", "JOHN"),
                ("", "john"),
                ("", "john@example.test"),
                ("example.test", "john"),
                ("", "john@mail.example"),
                ("NOWHERE", "john"),
                ("EX", " john "),
                ("EX", "john @example.test"),
            ] {
                assert_eq!(of(rules, domain, user), "john\nEXAMPLE.TEST", "{domain}\\{user}");
            }
        }
        let typed = who("John", &listed, Some("EXAMPLE.TEST")).unwrap();
        assert_eq!(typed.1, "john\nEXAMPLE.TEST", "as passwords are counted");
        assert_ne!(of(&listed, "EX", "mary"), of(&listed, "EX", "john"));
        assert_eq!(of(&listed, "EX", "a/b"), of(&own, "", "A/B"));
    }
}

//! Attempts that a front has checked elsewhere (NTLM, by winbind): they have
//! leave by the same limits as passwords that are checked here, and count there.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::limits::Pass;
use super::{Limited, Origin, PasswordRules, Passwords, key, who};
use crate::clock;
use crate::core_server::Core;
use crate::core_server::peer::Peer;
use crate::core_server::refusal::Refusal;
use crate::identity::Rules;
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
    origin: Origin,
    account: String,
    since: Instant,
}

impl Core {
    /// Counts what came of attempts, then gives leave to those that begin.
    pub(in crate::core_server) fn attempts(
        &self,
        peer: &Peer,
        Attempts { begin, end }: Attempts,
    ) -> AttemptAnswers {
        let policy = self.policy.load();
        for ended in end {
            self.passwords.ended(ended);
        }
        let origin = |attempt: &Attempt| match attempt.client {
            Some(address) => Origin::of(address),
            None => Origin::Program(peer.uid().unwrap_or(u32::MAX)),
        };
        let rules = (&policy.passwords, &policy.identity);
        let answer = |attempt| self.passwords.begin(&attempt, origin(&attempt), rules);
        AttemptAnswers { answers: begin.into_iter().map(answer).collect() }
    }

    /// Attempts of which nothing was heard count as wrong. To be called about once a second.
    pub(in crate::core_server) fn sweep_attempts(&self) {
        self.passwords.give_up(clock::instant());
    }
}

impl Passwords {
    fn begin(
        &self,
        attempt: &Attempt,
        origin: Origin,
        (rules, names): (&PasswordRules, &Rules),
    ) -> AttemptAnswer {
        let account = account_of(attempt, names, rules.default_realm.as_deref());
        let limited = match self.limits.try_admit(origin, Some(&account), rules.allowances) {
            Ok(Some(pass)) => {
                let mut open = self.open();
                if open.passes.len() < MOST {
                    let number = open.next;
                    open.next += 1;
                    let since = clock::instant();
                    open.passes.insert(number, Entry { pass, origin, account, since });
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

    fn ended(&self, EndedAttempt { attempt, verdict }: EndedAttempt) {
        // A number of before a restart: its count is gone, too.
        let Some(entry) = self.open().passes.remove(&attempt) else { return };
        match verdict {
            AttemptVerdict::Right => self.limits.know(entry.origin, &entry.account),
            AttemptVerdict::Wrong => entry.pass.fail(),
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

/// The account that is meant, in the form in which typed names are counted.
/// winbind takes a domain that it does not know for its own, and a directory
/// passes over blanks; so does this, or every spelling had a count of its own.
fn account_of(attempt: &Attempt, names: &Rules, default: Option<&str>) -> String {
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
    let account = |spelling: &String| {
        let (account, identity) = who(spelling, names, default).ok()?;
        Some(key(&account, &identity))
    };
    // One that no realm of ours has is counted by its name alone.
    spellings.iter().find_map(account).unwrap_or_else(|| format!("{}\n", name.to_lowercase()))
}

/// Attempts that may be open at once.
const MOST: usize = 65_536;
/// Longer than a helper may take with everything before it.
const PATIENCE: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::checked::{Realm, Strip};

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
            account_of(&attempt, rules, Some("EXAMPLE.TEST"))
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
        assert_eq!(key(&typed.0, &typed.1), "john\nEXAMPLE.TEST", "as passwords are counted");
        assert_ne!(of(&listed, "EX", "mary"), of(&listed, "EX", "john"));
        assert_eq!(of(&listed, "EX", "a/b"), of(&own, "", "A/B"));
    }
}

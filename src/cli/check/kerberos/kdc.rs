//! The KDCs: whether they answer, and what time they have.

use std::time::Duration;

use crate::advice::kdc as advice;
use crate::cli::check::bounded::thread::{self, Asked};
use crate::cli::check::report::Finding;
use crate::clock::{self, Timestamp};
use crate::krb5::kdc::ask::clock as clock_of;

/// What a realm's KDC said.
#[derive(Clone, Debug)]
pub(super) struct Kdc {
    pub(super) realm: String,
    answer: Result<Clocks, String>,
}

/// The same moment by two clocks.
#[derive(Clone, Copy, Debug)]
struct Clocks {
    here: Timestamp,
    there: Timestamp,
}

/// Asks one KDC of each realm, all at once.
pub(super) fn ask(realms: &[String]) -> Vec<Kdc> {
    let begun: Vec<Asked<_>> = realms
        .iter()
        .cloned()
        .map(|realm| {
            thread::ask(move || {
                let there = clock_of(&realm).map_err(|refused| refused.detail)?;
                Ok(Clocks { here: clock::now(), there })
            })
        })
        .collect();
    let late = || Err(format!("no answer within {} s", thread::LIMIT.as_secs()));
    realms
        .iter()
        .zip(begun)
        .map(|(realm, asked)| Kdc {
            realm: realm.clone(),
            answer: asked.wait().unwrap_or_else(late),
        })
        .collect()
}

impl Kdc {
    /// The realm, if its KDC answers.
    pub(super) fn answering(&self) -> Option<&str> {
        self.answer.is_ok().then_some(self.realm.as_str())
    }

    /// The realm, if its KDC answers, and takes our clock for right.
    pub(super) fn on_time(&self) -> Option<&str> {
        let clocks = self.answer.as_ref().ok()?;
        (clocks.apart() <= TOO_FAR).then_some(self.realm.as_str())
    }
}

impl Clocks {
    fn apart(self) -> Duration {
        self.here.until(self.there).max(self.there.until(self.here))
    }
}

/// A line for each KDC, and one for its clock. Tickets are taken without a KDC, so
/// one that is away does not fail the check.
pub(super) fn findings(kdcs: &[Kdc]) -> Vec<Finding> {
    let told = kdcs.iter().flat_map(|Kdc { realm, answer }| match answer {
        Ok(clocks) => {
            let answers = Finding::ok("kdc", format!("a KDC of {realm} answers"));
            vec![answers, clocks_of(realm, *clocks)]
        }
        Err(said) => {
            let found = format!("passwords of {realm} cannot be checked: {said}");
            vec![Finding::warn("kdc", found, advice::NAME)]
        }
    });
    told.collect()
}

fn clocks_of(realm: &str, clocks: Clocks) -> Finding {
    let Clocks { here, there } = clocks;
    let apart = clocks.apart();
    if apart <= NEAR {
        let found = format!("this host and the KDC of {realm} agree on the time");
        return Finding::ok("clock", found);
    }
    let side = if there < here { "ahead of" } else { "behind" };
    let found = format!(
        "this host is {} {side} the KDC of {realm}: here it is {here}, there {there}",
        spoken(apart)
    );
    match apart {
        _ if apart <= SOON => Finding::ok("clock", found),
        _ if apart <= TOO_FAR => Finding::warn(
            "clock",
            format!("{found}; with more than five minutes no ticket is accepted"),
            advice::CLOCK,
        ),
        _ => Finding::fail(
            "clock",
            format!(
                "{found}; that is more than five minutes, so no ticket is accepted, and nobody can sign on"
            ),
            advice::CLOCK,
        ),
    }
}

/// `10 min 02 s`
fn spoken(time: Duration) -> String {
    let seconds = time.as_secs();
    let (days, hours) = (seconds / 86_400, seconds / 3600 % 24);
    let (minutes, seconds) = (seconds / 60 % 60, seconds % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min {seconds:02} s"),
        (0, ..) => format!("{hours} h {minutes:02} min"),
        (days, ..) => format!("{days} d {hours:02} h {minutes:02} min"),
    }
}

/// A KDC tells whole seconds, and an answer takes its time.
const NEAR: Duration = Duration::from_secs(2);
/// Somebody should look before it is too late.
const SOON: Duration = Duration::from_secs(120);
/// What both sides of Kerberos bear by default.
const TOO_FAR: Duration = Duration::from_secs(300);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;

    fn apart(here: u64, there: u64) -> Finding {
        let at = |seconds| Timestamp::from_unix(1_700_000_000 + seconds);
        clocks_of("LAB.TEST", Clocks { here: at(here), there: at(there) })
    }

    #[test]
    fn clocks_are_warned_about_before_they_are_too_far_apart() {
        for (here, there, status) in [
            (0, 0, Status::Ok),
            (119, 0, Status::Ok),
            (0, 121, Status::Warn),
            (300, 0, Status::Warn),
            (301, 0, Status::Fail),
            (0, 86_400, Status::Fail),
        ] {
            assert_eq!(apart(here, there).status(), status, "{here} {there}");
        }
    }

    #[test]
    fn both_times_are_told_and_which_is_ahead() {
        let ahead = apart(602, 0).to_string();
        assert!(ahead.contains("this host is 10 min 02 s ahead of the KDC of LAB.TEST"), "{ahead}");
        let times = "here it is 2023-11-14T22:23:22Z, there 2023-11-14T22:13:20Z";
        assert!(ahead.contains(times), "{ahead}");
        assert!(apart(0, 86_460).to_string().contains("is 1 d 00 h 01 min behind"));
        assert!(apart(0, 7200).to_string().contains("is 2 h 00 min behind"));
        assert!(apart(30, 0).to_string().contains("is 30 s ahead"));
    }
}

//! Faults of a site, each made for real on the lab's realm, and what tells an
//! administrator of it.
//!
//! **To add a fault, add a row** to `FAULTS` in the file of its subject:
//!
//! ```ignore
//! Fault {
//!     id: "K1",                                    // unique; the table is sorted by it
//!     what: "The keytab is older than the account's password", // for the table in the docs
//!     site: older_keytab,                          // makes the fault: fn() -> Site
//!     check: says(&["kvno 4", "kvno 3"], &["export the keytab again"]),
//!     log: says(&["kvno 4", "kvno 3"], &["export"]),
//!     ..OTHERWISE
//! }
//! ```
//!
//! - `site` returns a [`Site`]: a configuration, an environment, a clock, a client's ticket.
//!   What has to be undone goes into [`Site::keep`] and is dropped at the end of the row.
//! - Each surface (`check`, `probe`, `page`, `log`, `ready`) holds the words that must stand
//!   there: of the cause, and of the right fix. `{dir}`, `{host}`, `{realm}`, `{dns}` and
//!   `{domain}` in them stand for the site's own. Words of `check` and of the log must all stand
//!   in one line, and an `ok` line of `check` does not count.
//! - Points of a surface: 3 cause and fix, 2 the cause ([`cause`]), 1 a symptom ([`symptom`]),
//!   0 nothing though it could know ([`SILENT`]); [`APART`] where it cannot know.
//! - A row whose surface says less than the row promises fails, so promise what is true.
//! - Then `DOORWARD_WRITE_DOCS=1 cargo test --test it doctor::the_table` writes the table in
//!   docs/troubleshooting.md anew. `cargo test --test it doctor::keytab` runs one subject, and
//!   `DOORWARD_FAULT=K1` with it one row, with all that its surfaces said (`-- --nocapture`).
#![allow(dead_code, unused_imports, reason = "what rows are made of, whether or not one needs it")]

use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, OnceLock, PoisonError};

mod row;
mod service;
mod sign_on;
mod site;
mod surface;
mod table;

pub(crate) use row::{APART, Fault, OTHERWISE, SILENT, cause, says, symptom};
pub(crate) use site::Site;

use row::Score;

/// The faults of one subject, and what came of them once they were tried.
struct Subject {
    name: &'static str,
    faults: &'static [Fault],
    scores: OnceLock<Vec<Score>>,
}

/// A test for each subject.
macro_rules! subjects {
    ($($room:ident: $($name:ident)*;)*) => {
        static SUBJECTS: LazyLock<Vec<Subject>> = LazyLock::new(|| {
            vec![$($(Subject::new(stringify!($name), $room::$name::FAULTS)),*),*]
        });

        $($(
            #[test]
            fn $name() {
                Subject::named(stringify!($name)).keeps_its_promises();
            }
        )*)*
    };
}

subjects! {
    sign_on: certificates client clock keytab names ntlm passwords realm;
    service: application config core_link proxy storage;
}

impl Subject {
    fn new(name: &'static str, faults: &'static [Fault]) -> Self {
        Self { name, faults, scores: OnceLock::new() }
    }

    fn named(name: &str) -> &'static Self {
        SUBJECTS.iter().find(|subject| subject.name == name).expect("every test is of a subject")
    }

    /// Tries each fault once, a few side by side: most of the time is spent waiting.
    fn scores(&self) -> &[Score] {
        self.scores.get_or_init(|| {
            let chosen = std::env::var("DOORWARD_FAULT").ok();
            let wanted = |fault: &&Fault| chosen.as_deref().is_none_or(|id| id == fault.id);
            let left = Mutex::new(self.faults.iter().filter(wanted));
            let next = || left.lock().unwrap_or_else(PoisonError::into_inner).next();
            let done = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for _ in 0..AT_ONCE {
                    scope.spawn(|| {
                        while let Some(fault) = next() {
                            let score = fault.try_out(chosen.is_some());
                            done.lock().unwrap_or_else(PoisonError::into_inner).push(score);
                        }
                    });
                }
            });
            done.into_inner().unwrap_or_else(PoisonError::into_inner)
        })
    }

    /// Fails with all that was promised and not said.
    #[track_caller]
    fn keeps_its_promises(&self) {
        let short: Vec<_> = self.scores().iter().filter_map(|score| score.short.clone()).collect();
        assert!(short.is_empty(), "{}", short.join("\n\n"));
    }
}

/// Every fault's row, by its id.
fn faults() -> Vec<&'static Fault> {
    let all = SUBJECTS.iter().flat_map(|subject| subject.faults);
    let sorted: BTreeMap<_, _> = all.map(|fault| (row::order(fault.id), fault)).collect();
    let count: usize = SUBJECTS.iter().map(|subject| subject.faults.len()).sum();
    assert_eq!(sorted.len(), count, "two faults have one id");
    sorted.into_values().collect()
}

#[test]
fn the_table_in_the_documentation_is_this_one() {
    table::is_documented(&faults());
}

#[test]
fn the_best_surface_names_nearly_every_fault_and_check_alone_most() {
    let scores: Vec<_> = SUBJECTS.iter().flat_map(|subject| subject.scores()).collect();
    table::adds_up(&scores);
}

/// Faults of one subject that are tried side by side.
const AT_ONCE: usize = 3;

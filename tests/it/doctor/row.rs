//! One fault: how it is made, what must be said of it where, and how well it is said.

use super::Site;
use super::surface::{self, Heard};

/// A fault of a site.
pub(crate) struct Fault {
    /// A letter for the subject, and a number.
    pub(crate) id: &'static str,
    /// What is wrong, as the table in the documentation says it.
    pub(crate) what: &'static str,
    /// Makes the fault.
    pub(crate) site: fn() -> Site,
    /// `doorward check`, as the administrator runs it.
    pub(crate) check: Says,
    /// `doorward probe`, from a client's side.
    pub(crate) probe: Says,
    /// The page that a browser shows.
    pub(crate) page: Says,
    /// The log at level info, from the start on.
    pub(crate) log: Says,
    /// `/ready`.
    pub(crate) ready: Says,
}

/// What a surface says of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    /// It cannot know of it.
    Apart,
    /// It could know, and says these words: those that name the cause, those of the right fix;
    /// and those by which one sees that something is wrong.
    Words {
        symptom: &'static [&'static str],
        cause: &'static [&'static str],
        fix: &'static [&'static str],
    },
}

/// The surface cannot know of the fault.
pub(crate) const APART: Says = Says::Apart;

/// It could know, and says nothing.
pub(crate) const SILENT: Says = symptom(&[]);

/// It names the cause and the right fix.
pub(crate) const fn says(cause: &'static [&'static str], fix: &'static [&'static str]) -> Says {
    Says::Words { symptom: &[], cause, fix }
}

/// It names the cause and no right fix.
pub(crate) const fn cause(cause: &'static [&'static str]) -> Says {
    says(cause, &[])
}

/// It shows that something is wrong.
pub(crate) const fn symptom(symptom: &'static [&'static str]) -> Says {
    Says::Words { symptom, cause: &[], fix: &[] }
}

/// What a row need not mention: surfaces that were not looked at.
pub(crate) const OTHERWISE: Fault = Fault {
    id: "",
    what: "",
    site: || unreachable!("every row makes its own site"),
    check: APART,
    probe: APART,
    page: APART,
    log: APART,
    ready: APART,
};

/// What came of a fault.
pub(crate) struct Score {
    pub(super) id: &'static str,
    /// Points by surface, in the order of [`Fault::surfaces`]; none where it cannot know.
    pub(super) points: [Option<u32>; 5],
    /// What was promised and not said.
    pub(super) short: Option<String>,
}

/// The names of the surfaces, as the documentation has them.
pub(super) const SURFACES: [&str; 5] = ["check", "probe", "page", "log", "`/ready`"];

/// Points for cause and fix.
pub(super) const FULL: u32 = 3;

impl Fault {
    pub(super) const fn surfaces(&self) -> [Says; 5] {
        [self.check, self.probe, self.page, self.log, self.ready]
    }

    /// Makes the fault, and counts what each surface says.
    pub(super) fn try_out(&self, verbose: bool) -> Score {
        let site = (self.site)();
        let heard = surface::listen(&site, self);
        let mut points = [None; 5];
        let mut short = Vec::new();
        for (index, (says, heard)) in self.surfaces().iter().zip(&heard).enumerate() {
            points[index] = says.points(heard, &site);
            if verbose {
                println!("--- {} {} {:?}\n{heard}", self.id, SURFACES[index], points[index]);
            }
            if points[index] < says.promised() {
                short.push(format!(
                    "{} ({}): {} has {:?} of {:?} points: {says:?}. It says:\n{heard}",
                    self.id,
                    self.what,
                    SURFACES[index],
                    points[index],
                    says.promised()
                ));
            }
        }
        let short = (!short.is_empty()).then(|| short.join("\n"));
        Score { id: self.id, points, short }
    }
}

impl Says {
    /// The points that its words are worth.
    pub(super) const fn promised(&self) -> Option<u32> {
        match self {
            Self::Apart => None,
            Self::Words { cause: [_, ..], fix: [_, ..], .. } => Some(FULL),
            Self::Words { cause: [_, ..], .. } => Some(2),
            Self::Words { symptom: [_, ..], .. } => Some(1),
            Self::Words { .. } => Some(0),
        }
    }

    fn points(&self, heard: &Heard, site: &Site) -> Option<u32> {
        let Self::Words { symptom, cause, fix } = self else { return None };
        let stand = |words: &[&[&str]]| {
            let words: Vec<_> = words.concat().iter().map(|word| site.own(word)).collect();
            let all_in = |text: &String| words.iter().all(|word| text.contains(word.as_str()));
            !words.is_empty() && heard.0.iter().any(all_in)
        };
        Some(match () {
            () if !fix.is_empty() && !cause.is_empty() && stand(&[cause, fix]) => FULL,
            () if stand(&[cause]) => 2,
            () if stand(&[symptom]) => 1,
            () => 0,
        })
    }
}

/// By subject, then by number.
pub(super) fn order(id: &str) -> (&str, u32) {
    let (letter, number) = id.split_at(1);
    (letter, number.parse().unwrap_or_else(|_| panic!("{id} is no letter and number")))
}

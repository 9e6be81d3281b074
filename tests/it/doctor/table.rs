//! All faults together: the sums, and the table in docs/troubleshooting.md.

use std::collections::BTreeSet;
use std::path::Path;

use super::Fault;
use super::row::{FULL, SURFACES, Score};

/// Asserts how well faults are named on the whole.
#[track_caller]
pub(super) fn adds_up(scores: &[&Score]) {
    let table: Vec<_> = scores.iter().map(|score| shown(score)).collect();
    let table = table.join("\n");
    let missed: Vec<_> = scores.iter().filter(|score| best(score) == 0).map(|s| s.id).collect();
    assert!(missed.is_empty(), "nothing names {}\n{table}", missed.join(", "));
    let best = share(scores.iter().map(|score| Some(best(score))));
    let check = share(scores.iter().map(|score| score.points[0]));
    println!("best of the surfaces {best} %, check alone {check} %\n{table}");
    assert!(best >= 95, "the best surface has {best} % of the points\n{table}");
    assert!(check >= 80, "check alone has {check} % of its points\n{table}");
}

fn shown(score: &Score) -> String {
    let points = score.points.map(|points| points.map_or("–".to_owned(), |n| n.to_string()));
    format!("{:<4} {}  {}", score.id, points.join(" "), best(score))
}

fn best(score: &Score) -> u32 {
    score.points.iter().flatten().copied().max().unwrap_or(0)
}

/// Per cent of the points that could be had.
fn share(points: impl Iterator<Item = Option<u32>>) -> u32 {
    let had: Vec<_> = points.flatten().collect();
    let most = had.len() as u32 * FULL;
    (had.iter().sum::<u32>() * 100).checked_div(most).unwrap_or(100)
}

/// Asserts that the documentation has these rows; writes them there when it is told to.
#[track_caller]
pub(super) fn is_documented(faults: &[&Fault]) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md");
    let document = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = document.split_once(BEGIN).expect("the table has its place");
    let (found, after) = rest.split_once(END).expect("the table has an end");
    let rows: String = faults.iter().map(|fault| documented(fault)).collect();
    let wanted = format!("\n\n| | fault | reported by |\n|---|---|---|\n{rows}\n");
    if std::env::var_os("DOORWARD_WRITE_DOCS").is_some() {
        std::fs::write(&path, [before, BEGIN, &wanted, END, after].concat()).unwrap();
        return;
    }
    let (found, wanted): (BTreeSet<_>, BTreeSet<_>) =
        (found.lines().collect(), wanted.lines().collect());
    let differing: Vec<_> = found.symmetric_difference(&wanted).collect();
    assert!(differing.is_empty(), "write it anew (see tests/it/doctor/mod.rs): {differing:#?}");
}

/// A line: who names cause and fix; if nobody, who names the cause, or shows a symptom.
fn documented(fault: &Fault) -> String {
    let points = fault.surfaces().map(|says| says.promised());
    let best = points.iter().flatten().max().copied().unwrap_or(0);
    let told = SURFACES.iter().zip(points).filter(|(_, points)| *points == Some(best));
    let told: Vec<_> = told.map(|(name, _)| *name).collect();
    let told = told.join(", ");
    let told = match best {
        FULL => told,
        2 => format!("{told} (the cause only)"),
        _ => format!("{told} (a symptom only)"),
    };
    format!("| {} | {} | {told} |\n", fault.id, fault.what)
}

const BEGIN: &str = "<!-- faults: written by tests/it/doctor -->";
const END: &str = "<!-- end of faults -->";

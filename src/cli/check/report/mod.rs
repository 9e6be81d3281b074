//! The report: a line for each finding and one that counts them, or the same in JSON.

use std::env;
use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

pub(super) use finding::{Finding, Status};

mod finding;

/// Prints findings on standard output: a line each and the summary, or a JSON
/// array of the same.
pub(super) fn print(findings: &[Finding], json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        serde_json::to_writer_pretty(&mut out, &with_summary(findings))?;
        return writeln!(out);
    }
    let colored = out.is_terminal() && colors_are_wanted();
    out.write_all(text(findings, colored).as_bytes())
}

/// The findings and what they add up to. As the last element of the array it looks
/// like any other finding, and is `ok` whatever they are: programs that look for
/// what is not `ok` find the findings alone.
fn with_summary(findings: &[Finding]) -> Vec<Finding> {
    let summary = Finding::ok("summary", summary(findings));
    findings.iter().cloned().chain([summary]).collect()
}

fn text(findings: &[Finding], colored: bool) -> String {
    let mut text = String::new();
    for finding in findings {
        let status = finding.status();
        let word = format!("{:<4}", status.word());
        let word = if colored { paint(status, &word) } else { word };
        // Writing into a string does not fail.
        let _ = writeln!(text, "{word}  {}", finding.line());
    }
    let _ = writeln!(text, "{}", summary(findings));
    text
}

/// `12 ok, 2 warnings, 1 failed`
fn summary(findings: &[Finding]) -> String {
    let count = |status| findings.iter().filter(|finding| finding.status() == status).count();
    let warnings = match count(Status::Warn) {
        1 => "1 warning".to_owned(),
        several => format!("{several} warnings"),
    };
    format!("{} ok, {warnings}, {} failed", count(Status::Ok), count(Status::Fail))
}

fn paint(status: Status, word: &str) -> String {
    let color = match status {
        Status::Ok => GREEN,
        Status::Warn => YELLOW,
        Status::Fail => RED,
    };
    format!("\x1b[{color}m{word}\x1b[0m")
}

/// <https://no-color.org>: any value but an empty one says no.
fn colors_are_wanted() -> bool {
    let says = |name, no: &str| env::var_os(name).is_some_and(|value| value == no);
    env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()) && !says("TERM", "dumb")
}

const GREEN: &str = "32";
const YELLOW: &str = "33";
const RED: &str = "1;31";

#[cfg(test)]
mod tests {
    use super::*;

    fn findings() -> Vec<Finding> {
        vec![
            Finding::ok("clock", "fine"),
            Finding::warn("disk", "nearly full", "make room"),
            Finding::fail("keytab", "gone", "export it"),
            Finding::fail("upstream", "gone", "start it"),
        ]
    }

    #[test]
    fn the_last_line_counts() {
        let text = text(&findings(), false);
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[1], "warn  disk: nearly full. Fix: make room");
        assert_eq!(lines[4], "1 ok, 1 warning, 2 failed");
        assert_eq!(summary(&[]), "0 ok, 0 warnings, 0 failed");
    }

    #[test]
    fn the_json_form_is_the_findings_and_a_summary_that_looks_like_one() {
        let all = serde_json::to_value(with_summary(&findings())).unwrap();
        assert_eq!(all.as_array().unwrap().len(), 5);
        let expected = serde_json::json!({
            "check": "summary", "status": "ok", "found": "1 ok, 1 warning, 2 failed", "mend": null
        });
        assert_eq!(all[4], expected);
    }

    #[test]
    fn only_the_status_has_a_color() {
        let text = text(&findings(), true);
        assert!(text.starts_with("\x1b[32mok  \x1b[0m  clock: fine\n"), "{text:?}");
        assert!(text.contains("\x1b[1;31mFAIL\x1b[0m  keytab: gone. Fix: export it\n"), "{text:?}");
        assert!(text.ends_with("\n1 ok, 1 warning, 2 failed\n"), "{text:?}");
    }
}

//! The form of the report: a line each, one that counts, colors for people, and JSON.

use std::process::Output;

use serde_json::Value;

use super::{check_with, text};
use crate::gateway::Setup;
use crate::lab::doorward::program;
use crate::lab::{Doorward, realm, temp_dir};

fn count(output: &Output, word: &str) -> usize {
    text(output).lines().filter(|line| line.starts_with(word)).count()
}

#[test]
fn the_last_line_counts_the_others_and_json_has_the_same_at_its_end() {
    let setup = Setup::default();
    let lines = Doorward::run(&["check"], &setup.config(1));
    let (ok, warnings, failed) =
        (count(&lines, "ok "), count(&lines, "warn"), count(&lines, "FAIL"));
    assert!(ok > 5 && failed > 0, "{}", text(&lines));
    let plural = if warnings == 1 { "" } else { "s" };
    let expected = format!("{ok} ok, {warnings} warning{plural}, {failed} failed");
    assert_eq!(text(&lines).lines().last(), Some(expected.as_str()));

    let report: Vec<Value> =
        serde_json::from_slice(&check_with(&realm().web_keytab).stdout).unwrap();
    let (summary, findings) = report.split_last().unwrap();
    assert_eq!(summary["check"], "summary");
    assert_eq!(summary["status"], "ok");
    assert_eq!(summary["found"], expected.as_str());
    assert_eq!(findings.len(), ok + warnings + failed);
    for finding in &report {
        let keys: Vec<_> = finding.as_object().unwrap().keys().collect();
        assert_eq!(keys, ["check", "found", "mend", "status"], "{finding}");
        assert_eq!(finding["status"] != "ok", finding["mend"].is_string(), "{finding}");
    }
}

#[test]
fn colors_are_for_terminals_that_want_them() {
    let dir = temp_dir("colors-");
    let config = dir.path().join("doorward.toml");
    std::fs::write(&config, "[front]\nlisten = 3\n").unwrap();
    let on_a_terminal = |no_color: &str| {
        let line =
            format!("{} check --config {}", program().get_program().display(), config.display());
        let mut script = std::process::Command::new("script");
        script.args(["-qec", &line, "/dev/null"]);
        text(&script.env("TERM", "xterm").env("NO_COLOR", no_color).output().unwrap())
    };
    let colored = on_a_terminal("");
    assert!(colored.starts_with("\x1b[1;31mFAIL\x1b[0m  configuration: "), "{colored:?}");
    assert!(on_a_terminal("1").starts_with("FAIL  configuration: "));
    let piped = Doorward::run(&["check"], "[front]\nlisten = 3\n");
    assert!(text(&piped).starts_with("FAIL  configuration: "));
}

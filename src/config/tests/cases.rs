//! The cases in `tests/cases/config`: a `doorward.toml`, a line of dashes, and the result. That is
//! either every error, or `ok`, every warning, and every setting that differs from those of an
//! empty file. (The empty file itself shows all.)
//!
//! `UPDATE_CASES=1 cargo test` writes the result of each into its file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::config::{Loaded, Settings, Surroundings, parse};

#[test]
fn every_case_comes_out_as_written() {
    let mut wrong = Vec::new();
    for path in cases() {
        let text = fs::read_to_string(&path).unwrap();
        let (input, expected) = text.split_once(BORDER).expect("a case has a line of dashes");
        let actual = outcome(input);
        if std::env::var_os("UPDATE_CASES").is_some() {
            fs::write(&path, format!("{input}{BORDER}{actual}")).unwrap();
        } else if actual != expected {
            wrong.push(format!("{}:\n{actual}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "these came out otherwise:\n\n{}", wrong.join("\n"));
}

#[test]
fn there_are_cases() {
    assert!(cases().len() > 10);
}

/// What surrounds every case.
pub(in crate::config) fn surroundings() -> Surroundings {
    Surroundings {
        environment: BTreeMap::from([("TLS_PASS".to_owned(), "hunter2".to_owned())]),
        root: true,
        hostname: "gate.example.org".to_owned(),
        cores: 4,
        installed: |program| program.starts_with("/usr/bin"),
    }
}

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/config");
    let mut paths: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn outcome(input: &str) -> String {
    let defaults = parse("", "defaults", &surroundings()).unwrap();
    match parse(input, "doorward.toml", &surroundings()) {
        Err(errors) => format!("{errors}\n"),
        Ok(Loaded { settings, warnings }) => {
            let before = if input.is_empty() { Vec::new() } else { lines(&defaults.settings) };
            let changed = lines(&settings).into_iter().filter(|line| !before.contains(line));
            let warnings = warnings.iter().map(|warning| format!("warning: {warning}"));
            let said = warnings.chain(changed).map(|line| line + "\n");
            format!("ok\n{}", said.collect::<String>())
        }
    }
}

/// The settings, a line each, with the names of all that they stand in:
/// `front.listen.[0] = 127.0.0.1:8080`.
fn lines(settings: &Settings) -> Vec<String> {
    let mut lines = Vec::new();
    let mut around: Vec<String> = Vec::new();
    let mut counts = vec![0];
    for line in format!("{settings:#?}").lines().skip(1) {
        let line = line.trim().trim_end_matches(',');
        if matches!(line, "}" | ")" | "]") {
            around.pop();
            counts.pop();
            continue;
        }
        let index = counts.last_mut().unwrap();
        let (name, value) = match line.split_once(": ") {
            Some((name, value)) if !name.starts_with('"') => (name.to_owned(), value),
            _ => (format!("[{index}]"), line),
        };
        *index += 1;
        if value.ends_with(['{', '(', '[']) {
            around.push(name);
            counts.push(0);
        } else {
            let before: String = around.iter().map(|name| format!("{name}.")).collect();
            lines.push(format!("{before}{name} = {value}"));
        }
    }
    lines
}

const BORDER: &str = "----\n";

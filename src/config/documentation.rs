//! Holds `docs/configuration.md` and the table of keys together.

use std::collections::BTreeMap;

use super::cases;
use crate::config::{Effect, Key, Surroundings, keys, parse};

#[test]
fn every_key_stands_in_the_document_as_it_is_in_the_table() {
    let entries = entries();
    for (section, key) in keys() {
        let name = full_name(&section, key);
        let entry = entries.get(name.as_str()).unwrap_or_else(|| panic!("{name} is not described"));
        for line in expected_lines(key) {
            assert!(entry.lines().any(|held| held == line), "{name} lacks the line {line:?}");
        }
    }
}

#[test]
fn every_key_of_the_document_exists() {
    let known: Vec<String> = keys().iter().map(|(section, key)| full_name(section, key)).collect();
    for name in entries().keys() {
        assert!(known.iter().any(|key| key == name), "{name} is described, but does not exist");
    }
}

#[test]
fn every_key_of_this_version_has_an_example_that_runs_without_a_word() {
    let entries = entries();
    for (section, key) in keys() {
        let name = full_name(&section, key);
        let example = entries[name.as_str()]
            .split("```toml\n")
            .nth(1)
            .and_then(|rest| rest.split("```").next());
        let Some(example) = example else {
            assert!(!offered(key), "{name} has no example");
            continue;
        };
        assert!(offered(key), "{name} is not in this version, and yet has an example");
        assert!(example.contains(key.name), "the example of {name} does not show it");
        match parse(example, &name, &surroundings()) {
            Ok(loaded) => assert_eq!(loaded.warnings, []),
            Err(errors) => panic!("{errors}"),
        }
    }
}

/// What is below each heading that names a key or a section.
fn entries() -> BTreeMap<&'static str, &'static str> {
    let headings =
        DOCUMENT.split("\n#").filter_map(|part| part.trim_start_matches('#').split_once('\n'));
    headings
        .filter_map(|(heading, text)| {
            let name = heading.trim().strip_prefix('`')?.strip_suffix('`')?;
            Some((name.trim_matches(['[', ']']), text))
        })
        .collect()
}

fn expected_lines(key: &Key) -> Vec<String> {
    let mut lines = vec![key.meaning.to_owned()];
    if key.effect != Effect::Section {
        lines.push(format!("- Type: {}", (key.type_name)()));
        lines.push(format!("- Default: `{}`", key.default));
        let effect = match key.effect {
            Effect::Section => "",
            Effect::Reload => "- A change counts: after a reload",
            Effect::Restart => "- A change counts: after a restart",
            Effect::Ignored => "- Not in this version: at most a warning",
            Effect::Refused => "- Not in this version: an error",
        };
        lines.push(effect.to_owned());
    }
    lines
}

fn full_name(section: &str, key: &Key) -> String {
    if section.is_empty() { key.name.to_owned() } else { format!("{section}.{}", key.name) }
}

const fn offered(key: &Key) -> bool {
    matches!(key.effect, Effect::Reload | Effect::Restart)
}

fn surroundings() -> Surroundings {
    let mut surroundings = cases::surroundings();
    surroundings.environment.insert("GATE_KEY_PASS".to_owned(), "hunter2".to_owned());
    surroundings
}

const DOCUMENT: &str = include_str!("../../docs/configuration.md");

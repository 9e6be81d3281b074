//! The walls of the house, held by tests that read the source.

mod imports;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Every source file below `src`, as (path from there, text).
pub(crate) fn sources() -> BTreeMap<String, String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = BTreeMap::new();
    let mut folders: Vec<PathBuf> = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, std::fs::read_to_string(&path).unwrap());
            }
        }
    }
    assert!(found.len() > 50, "{}", found.len());
    found
}

/// The text without its unit tests, which stand last.
fn without_tests(text: &str) -> &str {
    let begins = ["mod tests {", "pub(crate) mod tests {"]
        .iter()
        .filter_map(|module| text.find(&format!("#[cfg(test)]\n{module}")));
    &text[..begins.min().unwrap_or(text.len())]
}

/// Whether the file is compiled for unit tests only: the module above it says so, of it or of
/// a folder that it is in.
fn is_test_module(sources: &BTreeMap<String, String>, path: &str) -> bool {
    let mut module = path.trim_end_matches(".rs").trim_end_matches("/mod");
    while let Some((folder, name)) = module.rsplit_once('/') {
        let declares = |text: &String| {
            let lines: Vec<_> = text.lines().collect();
            let module = format!("mod {name};");
            lines.windows(2).any(|two| two[0].trim() == "#[cfg(test)]" && two[1].ends_with(&module))
        };
        if sources.get(&format!("{folder}/mod.rs")).is_some_and(declares) {
            return true;
        }
        module = folder;
    }
    false
}

/// The files of a folder that name any of these outside of comments.
fn naming<'a>(sources: &'a BTreeMap<String, String>, folder: &str, words: &[&str]) -> Vec<&'a str> {
    let names = |text: &str| {
        without_tests(text)
            .lines()
            .map(str::trim_start)
            .filter(|line| !line.starts_with("//"))
            .any(|line| words.iter().any(|word| line.contains(word)))
    };
    assert!(sources.keys().any(|path| path.starts_with(folder)), "{folder} is not there");
    sources
        .iter()
        .filter(|(path, _)| path.starts_with(folder) && !is_test_module(sources, path))
        .filter(|(_, text)| names(text))
        .map(|(path, _)| path.as_str())
        .collect()
}

#[test]
fn front_and_core_know_each_other_only_by_the_wire() {
    let sources = sources();
    assert_eq!(naming(&sources, "front/", &["core_server"]), [] as [&str; 0]);
    assert_eq!(naming(&sources, "core_server/", &["crate::front"]), [] as [&str; 0]);
    let rooms = &["crate::front", "crate::core_server", "crate::core_client", "crate::mechanism"];
    assert_eq!(naming(&sources, "wire/", rooms), [] as [&str; 0]);
    assert_eq!(naming(&sources, "identity/", rooms), [] as [&str; 0]);
    assert_eq!(naming(&sources, "krb5/kdc/", rooms), [] as [&str; 0]);
    assert_eq!(naming(&sources, "pki/", rooms), [] as [&str; 0]);
}

#[test]
fn the_doors_of_the_core_translate_and_nothing_else() {
    let sources = sources();
    let words = &[
        "core_server::rights",
        "Permit<",
        "permit(",
        "core.sessions",
        "core.policy",
        "core.audit",
        "core.passwords",
    ];
    assert_eq!(naming(&sources, "core_server/door/", words), [] as [&str; 0]);
    // What is behind them knows no HTTP, so a door of another kind needs nothing new.
    for room in ["desk/", "peer/", "refusal.rs", "request/", "rights/"] {
        let words = &["axum", "http::", "hyper"];
        assert_eq!(naming(&sources, &format!("core_server/{room}"), words), [] as [&str; 0]);
    }
}

#[test]
fn front_and_core_see_their_own_settings_only() {
    let sources = sources();
    let whole = ["::Settings", "{Settings", " Settings"];
    let seeing = |folder, other| naming(&sources, folder, &[&whole[..], &[other]].concat());
    assert_eq!(seeing("core_server/", "FrontSettings"), [] as [&str; 0]);
    assert_eq!(seeing("front/", "CoreSettings"), [] as [&str; 0]);
}

#[test]
fn unsafe_is_in_the_calls_to_kerberos_and_in_one_more_file_and_each_block_says_why_it_is_sound() {
    let sources = sources();
    let holding = naming(&sources, "", &["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"]);
    assert_eq!(
        holding,
        [
            "krb5/gss/accept.rs",
            "krb5/gss/buffer.rs",
            "krb5/gss/context.rs",
            "krb5/gss/credential.rs",
            "krb5/gss/name.rs",
            "krb5/gss/oid.rs",
            "krb5/gss/status.rs",
            "krb5/kdc/gss/ask.rs",
            "krb5/kdc/gss/mod.rs",
            "krb5/kdc/gss/shown.rs",
            "process/privileges.rs"
        ]
    );
    for path in holding {
        let lines: Vec<&str> = sources[path].lines().collect();
        for (at, line) in lines.iter().enumerate() {
            if line.contains("unsafe {") || line.trim_start().starts_with("unsafe impl") {
                let above = &lines[at.saturating_sub(8)..at];
                let said = above.iter().any(|line| line.contains("SAFETY:"));
                assert!(said, "{path}:{}: {line}", at + 1);
            }
        }
    }
}

#[test]
fn only_answer_writes_a_login_response() {
    let sources = sources();
    let words = &["Response::new", "Response::builder", "WWW_AUTHENTICATE", "SET_COOKIE"];
    for room in ["front/sign_on/", "front/request/"] {
        assert_eq!(naming(&sources, room, words), [] as [&str; 0]);
    }
    assert_eq!(
        naming(&sources, "front/answer/", words),
        ["front/answer/mod.rs", "front/answer/response.rs"]
    );
    // The status listener has answers of its own, which sign nobody on.
    assert_eq!(naming(&sources, "front/door/", words), ["front/door/status.rs"]);
    let challenging = naming(&sources, "front/", &["WWW_AUTHENTICATE"]);
    assert_eq!(challenging, ["front/answer/mod.rs"]);
}

#[test]
fn mechanisms_know_neither_http_nor_sockets_nor_the_clock() {
    let sources = sources();
    // An address is a value like others: whose connection it is, the front says.
    let words = &[
        "hyper",
        "axum",
        "http::",
        "HeaderMap",
        "crate::front",
        "crate::core",
        "tokio::net",
        "std::net::Tcp",
        "std::net::Udp",
        "std::net::{",
    ];
    assert_eq!(naming(&sources, "mechanism/", words), [] as [&str; 0]);
    // What performs the effects of a mechanism may have to wait.
    let mut asking = naming(&sources, "mechanism/", &["clock::now", "clock::instant"]);
    let performs =
        ["mechanism/ntlm/helper/", "mechanism/ntlm/acceptor.rs", "mechanism/ntlm/attempt.rs"];
    asking.retain(|path| !performs.iter().any(|effects| path.starts_with(effects)));
    assert_eq!(asking, [] as [&str; 0]);
}

#[test]
fn a_step_of_a_login_can_only_be_made_from_the_one_before() {
    let sources = sources();
    let everywhere = |word: &str| naming(&sources, "", &[word]);
    assert_eq!(everywhere("Grant::new("), ["front/core_link/mod.rs", "front/core_link/proofs.rs"]);
    assert_eq!(everywhere("Grant(Arc"), ["front/core_link/grant/mod.rs"]);
    for path in everywhere("Proof::new(wire::Proof") {
        assert!(path.starts_with("mechanism/"), "{path}");
    }
    for path in everywhere("Identity {") {
        assert!(path.starts_with("identity/"), "{path}");
    }
    assert_eq!(everywhere("Permit(asked)"), ["core_server/rights/mod.rs"]);
    for path in everywhere("Identified {") {
        assert!(["core_server/request/identified.rs"].contains(&path), "{path}");
    }
    for path in everywhere("Admission {") {
        assert!(["core_server/request/admit.rs"].contains(&path), "{path}");
    }
}

#[test]
fn nothing_unwraps_outside_of_tests_without_the_invariant_beside_it() {
    let sources = sources();
    for (path, text) in &sources {
        if is_test_module(&sources, path) {
            continue;
        }
        let lines: Vec<&str> = without_tests(text).lines().collect();
        for (at, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap();
            if code.contains(".unwrap()") || code.contains(".expect(\"") {
                let near = &lines[at.saturating_sub(3)..=at];
                let said = code.split_once(".expect(\"").is_some_and(|(_, why)| why.contains(' '));
                let explained = said || near.iter().any(|line| line.contains("// "));
                assert!(explained, "{path}:{}: {line}", at + 1);
            }
        }
    }
}

#[test]
fn every_reason_has_its_place_in_the_troubleshooting_document() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/troubleshooting.md");
    let document = std::fs::read_to_string(document).unwrap();
    for reason in doorward::Reason::ALL {
        assert!(document.contains(&format!("`{}`", reason.label())), "{reason}");
    }
}

#[test]
fn every_dependency_earns_its_place_in_a_line_of_the_architecture_document() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(root.join("docs/architecture.md")).unwrap();
    let manifest = std::fs::read_to_string(root.join("Cargo.toml")).unwrap();
    let manifest: toml::Table = manifest.parse().unwrap();
    let dependencies = manifest["dependencies"].as_table().unwrap();
    assert!(dependencies.len() > 20);
    for name in dependencies.keys() {
        let line = document.lines().find(|line| {
            line.starts_with("| ") && line.split(['|', ',', ' ']).any(|word| word == name)
        });
        assert!(line.is_some(), "{name}");
    }
}

#[test]
fn every_file_and_folder_that_the_code_map_names_is_there() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let document = std::fs::read_to_string(document).unwrap();
    let (_, map) = document.split_once("## Code map").unwrap();
    let (map, _) = map.split_once("## Invariants").unwrap();
    // Each with a slash before it, so that a name is found at its beginning only.
    let paths: Vec<_> = sources().into_keys().map(|path| format!("/src/{path}")).collect();
    // What is between backquotes is every second piece.
    let named = map.split('`').skip(1).step_by(2);
    for named in named.filter(|named| !named.starts_with("tests/")) {
        let whole = format!("/{named}");
        let there = match named {
            folder if folder.ends_with('/') => paths.iter().any(|path| path.contains(&whole)),
            file if file.ends_with(".rs") => paths.iter().any(|path| path.ends_with(&whole)),
            _ => continue,
        };
        assert!(there, "{named}");
    }
}

#[test]
fn every_source_and_every_test_that_a_document_names_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documents = std::fs::read_dir(root.join("docs")).unwrap();
    let documents = documents.map(|entry| entry.unwrap().path()).chain([root.join("README.md")]);
    let mut seen = 0;
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || "_./*-".contains(c)));
        for word in words.filter(|word| word.starts_with("src/") || word.starts_with("tests/")) {
            // A pattern names its folder; a full stop ends a sentence.
            let named = word.split('*').next().unwrap().trim_end_matches('.');
            assert!(root.join(named).exists(), "{}: {word}", document.display());
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn the_architecture_document_is_short_and_says_what_to_touch() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/architecture.md");
    let document = std::fs::read_to_string(document).unwrap();
    assert!(document.lines().count() <= 250, "{}", document.lines().count());
    let (_, touch) = document.split_once("## What to touch").unwrap();
    let (touch, _) = touch.split_once("\n## ").unwrap();
    let sources = sources();
    for what in ["A mechanism", "A door", "A store", "A directory", "A key of the configuration"] {
        let paragraph = touch.split("\n\n").find(|said| said.contains(&format!("**{what}.**")));
        let named = paragraph.unwrap().split('`').skip(1).step_by(2);
        let paths: Vec<_> = named.filter(|named| named.contains('/')).collect();
        assert!(paths.len() > 4, "{what}: {paths:?}");
        for path in paths {
            let root = Path::new(env!("CARGO_MANIFEST_DIR"));
            let there = sources.contains_key(path)
                || sources.keys().any(|source| path.ends_with('/') && source.starts_with(path))
                || root.join(path).exists();
            assert!(there, "{what}: {path}");
        }
    }
}

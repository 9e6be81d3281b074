//! What is missing, misspelt or renamed never gives more than what is there.

use std::fs;

use serde_json::Value;

use crate::core::tls::ask;
use crate::lab::{Doorward, LIMIT, Pki, wait_until};

const ENTRY: &str = "[[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"alice\"]\n";
const ROOT: &str = "[[core.key]]\nfile = \"root-public.pem\"\nact_as = [\"SYSTEM\"]\n";
const OTHERS: &str = "keys_without_entry = \"system\"\n";

fn pki() -> Pki {
    let pki = Pki::new();
    for name in ["webapp", "root", "free"] {
        pki.client(name);
    }
    pki
}

/// As whom a key acts, or the reason why as nobody.
#[track_caller]
fn acts_as(core: &Doorward, pki: &Pki, name: &str) -> String {
    let said = ask(core, pki, Some(name), "GET", "/v1/whoami", None).json();
    let word = |name: &str| said[name].as_str().map(str::to_owned);
    word("as").or_else(|| word("reason")).unwrap_or_else(|| panic!("{said}"))
}

#[test]
fn an_entry_whose_file_is_misspelt_starts_no_core_and_names_the_file_that_is_there() {
    let pki = pki();
    fs::write(pki.path("sslkeys/note.pem"), "no key").unwrap();
    fs::copy(pki.path("webapp-public.pem"), pki.path("sslkeys/copy.pem")).unwrap();
    let entry = |file: &str| format!("[[core.key]]\nfile = \"{file}\"\nact_as = [\"alice\"]\n");
    for (others, entries, words) in [
        ("", entry("webapp-publik.pem"), "did you mean webapp-public.pem?"),
        (OTHERS, entry("webapp-publik.pem"), "did you mean webapp-public.pem?"),
        ("", entry("nobody.pem"), "there is no such file"),
        ("", entry("note.pem"), "contains no public key"),
        ("", format!("{}{}", entry("webapp-public.pem"), entry("copy.pem")), "the same key"),
    ] {
        let done = Doorward::run(&["core"], &pki.core(&format!("{others}{entries}")));
        let said = String::from_utf8_lossy(&done.stderr);
        assert_eq!(done.status.code(), Some(78), "{entries}: {said}");
        assert!(said.contains(words), "{words}: {said}");
        let checked = Doorward::run(&["check"], &pki.core(&format!("{others}{entries}")));
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(said.contains("FAIL  keys:") && said.contains(words), "{words}: {said}");
    }
    fs::remove_dir_all(pki.path("sslkeys")).unwrap();
    let done = Doorward::run(&["core"], &pki.core(ENTRY));
    assert_eq!(done.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&done.stderr).contains("cannot be read"));
}

#[test]
fn a_reload_with_such_an_entry_leaves_everything_as_it_was() {
    let pki = pki();
    let core = Doorward::core(&pki.core(ENTRY));
    assert_eq!(acts_as(&core, &pki, "webapp"), "alice");
    core.reload(&pki.core(&ENTRY.replace("public", "publik")));
    let said = core.wait_log("the complaint", |line| line.to_string().contains("reload_failed"));
    assert!(said.to_string().contains("did you mean webapp-public.pem?"), "{said}");
    assert_eq!(acts_as(&core, &pki, "webapp"), "alice");
    assert_eq!(acts_as(&core, &pki, "free"), "public_key_no_entry");
}

#[test]
fn a_key_without_entry_may_do_everything_only_where_no_entry_is_written_or_the_settings_say_so() {
    let pki = pki();
    let core = Doorward::core(&pki.core(""));
    for (settings, free) in [
        (String::new(), "SYSTEM"),
        (ENTRY.to_owned(), "public_key_no_entry"),
        (format!("{OTHERS}{ENTRY}"), "SYSTEM"),
        ("keys_without_entry = \"refuse\"\n".to_owned(), "public_key_no_entry"),
    ] {
        core.reload(&pki.core(&settings));
        wait_until(LIMIT, "the reload", || (acts_as(&core, &pki, "free") == free).then_some(()));
        let socket = core.core_socket();
        let list = crate::lab::curl(
            None,
            &["--unix-socket", socket.to_str().unwrap(), "http://core/v1/keys"],
        );
        let keys: Vec<Value> = list.json()["keys"].as_array().unwrap().clone();
        let listed = keys.iter().find(|key| key["file"] == "free-public.pem").unwrap();
        let expected = if free == "SYSTEM" { ("listed", "system") } else { ("refused", "nothing") };
        assert_eq!(
            (listed["state"].as_str(), listed["role"].as_str()),
            (Some(expected.0), Some(expected.1))
        );
    }
}

#[test]
fn a_file_that_is_renamed_gives_its_key_no_other_rights() {
    let pki = pki();
    let listed = |name: &str| pki.path("sslkeys").join(name);
    let settings = format!("{OTHERS}{ENTRY}{ROOT}");
    let core = Doorward::core(&pki.core(&settings));
    let rename = |from: &str, to: &str| {
        fs::rename(listed(from), listed(to)).unwrap();
        assert_eq!(acts_as(&core, &pki, "webapp"), "alice", "{from} is {to}");
    };
    assert_eq!(acts_as(&core, &pki, "webapp"), "alice");
    assert_eq!(acts_as(&core, &pki, "root"), "SYSTEM");
    rename("webapp-public.pem", "other.pem");
    // In the place of a key that may do everything.
    rename("other.pem", "root-public.pem");
    assert_eq!(acts_as(&core, &pki, "root"), "public_key_removed");
    // A new key under the old name has its entry at once, and the old key keeps it.
    fs::copy(pki.path("free-public.pem"), listed("webapp-public.pem")).unwrap();
    fs::remove_file(listed("free-public.pem")).unwrap();
    assert_eq!(acts_as(&core, &pki, "free"), "alice");
    assert_eq!(acts_as(&core, &pki, "webapp"), "alice");
    // A reload by which the old key would be nobody's does not make it more.
    core.reload(&pki.core(&settings.replace("\"SYSTEM\"", "\"bob\"")));
    core.wait_log("the reload", |line| line.to_string().contains("\"reloaded\""));
    assert_ne!(acts_as(&core, &pki, "webapp"), "SYSTEM");
}

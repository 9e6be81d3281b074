//! The configuration as a whole.

pub(super) mod cases;
mod documentation;

use std::fs;
use std::path::Path;

use super::section::CoreAddress;
use super::*;
use crate::wire::Mechanism;

#[test]
fn without_a_file_the_defaults_run() {
    assert!(load(None).unwrap().warnings.is_empty());
}

#[test]
fn the_default_offers_ntlm_only_where_samba_is_installed() {
    let offered = |installed| {
        let surroundings = Surroundings { installed, ..cases::surroundings() };
        let settings = parse("[[site]]", "doorward.toml", &surroundings).unwrap().settings;
        assert_eq!(settings.sso.mechanisms, settings.sites[0].mechanisms);
        settings.sso.mechanisms
    };
    use Mechanism::{Basic, Negotiate, Ntlm};
    assert_eq!(offered(|_| false), [Negotiate, Basic]);
    assert_eq!(offered(|_| true), [Negotiate, Ntlm, Basic]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let errors = load(Some(Path::new("/nowhere/doorward.toml"))).unwrap_err();
    assert!(errors.to_string().starts_with("/nowhere/doorward.toml: cannot be read"), "{errors}");
}

#[test]
fn a_file_that_is_not_text_is_told_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("latin1.toml");
    fs::write(&path, b"[log]\naudit = \"/var/log/T\xfcr\"\n").unwrap();
    let errors = load(Some(&path)).unwrap_err().to_string();
    assert!(errors.contains(":2:20: is not UTF-8"), "{errors}");
}

#[test]
fn a_person_without_root_needs_no_file_either() {
    let home = ("HOME".to_owned(), "/home/john".to_owned());
    let person = Surroundings { root: false, environment: [home].into(), ..cases::surroundings() };
    let settings = parse("", "defaults", &person).unwrap().settings;
    assert_eq!(settings.state_path, Path::new("/home/john/.local/state/doorward"));
    assert_eq!(settings.core.listen, Path::new("/home/john/.local/state/doorward/core.sock"));
    assert_eq!(settings.front.core, CoreAddress::Unix(settings.core.listen));
}

#[test]
fn every_default_can_be_read() {
    let one_of_each = "[[site]]\n[[core.realm]]\nrealm = 'EXAMPLE.ORG'\n";
    assert!(parse(one_of_each, "test", &cases::surroundings()).is_ok());
}

#[test]
fn sections_and_only_sections_have_keys_inside() {
    for (section, key) in keys() {
        let inside = !key.keys.is_empty();
        assert_eq!(key.effect == Effect::Section, inside, "{section}.{}", key.name);
    }
}

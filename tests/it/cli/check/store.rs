//! What the check sees of the session store, and that it leaves it alone.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Output;

use super::finding;
use crate::gateway::{Gateway, Setup};
use crate::lab::Doorward;
use crate::lab::doorward::program;
use crate::lab::servers;

fn check(dir: &Path) -> Output {
    let mut check = program();
    check.args(["check", "--json", "--config"]).arg(dir.join("doorward.toml"));
    check.output().unwrap()
}

/// Every file of the state folder, with its content.
fn state(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(dir.join("state")).unwrap().flatten();
    entries
        .map(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            (name, std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

#[test]
fn what_a_crash_left_is_counted_and_nothing_is_changed() {
    let app = servers::app();
    let mut gateway =
        Gateway { doorward: Doorward::serve(&Setup::default().config(app.port)), app };
    gateway.sign_on("alice");
    let dir = gateway.doorward.dir().to_owned();
    let held = finding(&check(&dir), "session store");
    let pid = format!("used by doorward (pid {}", gateway.doorward.id());
    assert_eq!(held["status"], "ok", "{held}");
    assert!(held["found"].as_str().unwrap().contains(&pid), "{held}");
    // The check has taken no lock: the core goes on to write.
    gateway.sign_on("bob");

    gateway.doorward.kill9();
    let before = state(&dir);
    assert!(before.contains_key("sessions.sqlite-wal"), "{:?}", before.keys());
    let sound = finding(&check(&dir), "session store");
    assert_eq!(sound["status"], "ok", "{sound}");
    assert!(sound["found"].as_str().unwrap().contains("contains 2 sessions"), "{sound}");
    assert_eq!(state(&dir), before);
    let temporary = std::fs::read_dir(std::env::temp_dir()).unwrap().flatten();
    let left = temporary
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("doorward-check-"));
    assert_eq!(left.count(), 0);
}

//! What the account may read counts, and what it may not is named with the way to change it.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};

use nix::sys::signal::Signal;
use serde_json::Value;

use super::privileges::{ACCOUNT, config, ids, own_keytab, setup};
use crate::gateway::Gateway;
use crate::lab::{Doorward, LIMIT, doorward, temp_dir, wait_until};

#[test]
fn an_unreadable_keytab_is_told_by_path_account_and_mend_and_a_reload_finds_it_mended() {
    let keys = temp_dir("keys-");
    let keytab = own_keytab(keys.path());
    chown(&keytab, Some(0), Some(0)).unwrap();
    let setup = setup(keytab.clone());
    let app = crate::lab::servers::app();
    let config = config(&setup, app.port, "listen = [\"127.0.0.1:0\"]");
    let gateway = Gateway { doorward: Doorward::serve(&config), app };
    let (uid, gid) = ids();
    let wanted = format!(
        "{} is not readable for {ACCOUNT} (uid {uid}, group {ACCOUNT}): it belongs to root:root \
         with mode 0400; run: chgrp {ACCOUNT} {0} && chmod g+r {0}",
        keytab.display()
    );
    let told = gateway.doorward.wait_log("the keytab", |line| line["event"] == "unreadable");
    assert_eq!(told["message"], wanted);
    assert_eq!(gateway.status("/ready").json()["keytab"], wanted);

    let checked = check(&gateway.doorward);
    let line = finding(&checked, "keytab");
    assert_eq!(line["status"], "FAIL", "{line}");
    assert!(line["found"].as_str().unwrap().contains(keytab.to_str().unwrap()), "{line}");
    assert!(finding(&checked, "run as")["found"].as_str().unwrap().contains(ACCOUNT));

    // The folder is in the way first.
    fs::set_permissions(keys.path(), PermissionsExt::from_mode(0o700)).unwrap();
    let line = finding(&check(&gateway.doorward), "keytab");
    let folder = format!("the folder {} belongs to root:root", keys.path().display());
    assert!(line["found"].as_str().unwrap().contains(&folder), "{line}");

    fs::set_permissions(keys.path(), PermissionsExt::from_mode(0o755)).unwrap();
    chown(&keytab, Some(uid), Some(gid)).unwrap();
    gateway.sign_on("alice");
}

#[test]
fn a_reload_after_the_drop_takes_what_the_account_can_read_and_tells_what_it_cannot() {
    let keys = temp_dir("keys-");
    let setup = setup(own_keytab(keys.path()));
    let app = crate::lab::servers::app();
    let text = config(&setup, app.port, "listen = [\"127.0.0.1:0\"]");
    let gateway = Gateway { doorward: Doorward::serve(&text), app };
    let file = gateway.doorward.dir().join("doorward.toml");
    let reload = |what: &str, event: &str| {
        let seen = gateway.doorward.log().len();
        gateway.doorward.signal(Signal::SIGHUP);
        wait_until(LIMIT, what, || {
            gateway.doorward.log().split_off(seen).into_iter().find(|line| line["event"] == event)
        })
    };
    let cookie = gateway.sign_on("alice");
    reload("a reload", "reloaded");
    assert_eq!(gateway.whoami(&cookie).status, 200);

    fs::set_permissions(&file, PermissionsExt::from_mode(0o600)).unwrap();
    let failed = reload("a reload without rights", "reload_failed").to_string();
    assert!(
        failed.contains(&format!("{} is not readable for {ACCOUNT}", file.display())),
        "{failed}"
    );
    fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();

    let key = keys.path().join("key.pem");
    fs::write(&key, "").unwrap();
    fs::set_permissions(&key, PermissionsExt::from_mode(0o600)).unwrap();
    let with_key = text
        .replace("[front]\n", &format!("[front]\nserver_ssl_key_file = \"{}\"\n", key.display()));
    let seen = gateway.doorward.log().len();
    gateway.doorward.reload(&with_key);
    let failed = wait_until(LIMIT, "a reload with an unreadable key", || {
        let later = gateway.doorward.log().split_off(seen);
        later.into_iter().find(|line| line["event"] == "reload_failed")
    });
    assert!(
        failed["error"].as_str().unwrap().contains("[front] server_ssl_key_file: "),
        "{failed}"
    );

    gateway.doorward.reload(&text.replace("run_as_user = \"games\"", "run_as_user = \"nobody\""));
    gateway.doorward.wait_log("the warning", |line| {
        line["message"].as_str().is_some_and(|said| said.contains("run_as_user"))
            && line["level"] == "WARN"
    });
    assert_eq!(gateway.whoami(&cookie).status, 200);
}

#[test]
fn a_folder_of_another_is_named_with_the_command_that_gives_it() {
    let keys = temp_dir("keys-");
    let taken = keys.path().join("state");
    fs::create_dir(&taken).unwrap();
    fs::write(taken.join("precious"), "").unwrap();
    let setup = setup(own_keytab(keys.path()));
    let state = format!("state_path = \"{}\"\n", taken.display());
    let output =
        Doorward::run(&["serve"], &(state + &config(&setup, 1, "listen = [\"127.0.0.1:0\"]")));
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("chown -R {ACCOUNT}:{ACCOUNT} {}", taken.display())), "{said}");
    assert_eq!(fs::metadata(&taken).unwrap().uid(), 0, "what is not empty is not given away");
}

#[test]
fn a_shared_folder_of_the_socket_is_not_to_be_given_away() {
    let keys = temp_dir("keys-");
    let shared = keys.path().join("etc");
    fs::create_dir(&shared).unwrap();
    fs::write(shared.join("precious"), "").unwrap();
    let setup = setup(own_keytab(keys.path()));
    let config = config(&setup, 1, "listen = [\"127.0.0.1:0\"]")
        .replace("{dir}/run/core.sock", &shared.join("core.sock").display().to_string());
    let output = Doorward::run(&["serve"], &config);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let (path, account) = (shared.display(), ACCOUNT);
    assert!(said.contains(&format!("{path} is not writable for {account}")), "{said}");
    assert!(said.contains(&format!("chgrp {account} {path} && chmod g=rwx {path}")), "{said}");
    assert!(!said.contains("chown"), "what others keep there is not the account's: {said}");
}

#[test]
fn a_cause_that_the_error_has_told_is_not_told_again() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap();
    let output = Doorward::run(
        &["serve"],
        &format!(
            "state_path = \"{{dir}}/state\"\n[front]\nlisten = [\"{address}\"]\n\
         [core]\nlisten = \"unix:{{dir}}/core.sock\"\n"
        ),
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(&format!("cannot listen on {address}")), "{said}");
    assert_eq!(said.matches("Address already in use").count(), 1, "{said}");
}

fn check(doorward: &Doorward) -> Vec<Value> {
    let file = doorward.dir().join("doorward.toml");
    let output =
        doorward::program().args(["check", "--json", "--config"]).arg(file).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap()
}

#[track_caller]
fn finding(report: &[Value], check: &str) -> Value {
    let found = report.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {report:#?}")).clone()
}

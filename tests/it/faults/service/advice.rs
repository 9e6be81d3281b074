//! Advice is tested by following it: what `doorward check` says about rights is done, as
//! root, until it has nothing more to say. Then the gateway has to work.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::gateway::{Gateway, Setup};
use crate::lab::doorward::program;
use crate::lab::{Doorward, Pki, realm, servers, temp_dir};

const ACCOUNT: &str = "games";
/// Each round does all that can be told at once; behind a closed folder comes a closed file.
const ROUNDS: usize = 5;

#[test]
fn what_the_check_says_about_rights_makes_the_gateway_work_when_it_is_done() {
    let dir = temp_dir("advice-");
    let path = |name: &str| dir.path().join(name);
    let folder = |name: &str, mode| {
        fs::create_dir(path(name)).unwrap();
        fs::set_permissions(path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    let file = |from: &Path, name: &str, mode| {
        fs::copy(from, path(name)).unwrap();
        fs::set_permissions(path(name), PermissionsExt::from_mode(mode)).unwrap();
    };
    // All of it is root's, as whoever installs as root leaves it.
    let pki = Pki::new();
    pki.client("alice");
    folder("secret", 0o700);
    file(&realm().web_keytab, "secret/web.keytab", 0o644);
    folder("tls keys", 0o750);
    file(&pki.path("core.pem"), "tls keys/gate.pem", 0o600);
    file(&pki.path("ca.crt"), "tls keys/ca.crt", 0o640);
    folder("sslkeys", 0o710);
    file(&pki.path("sslkeys/alice-public.pem"), "sslkeys/alice-public.pem", 0o600);
    folder("state", 0o755);
    fs::write(path("state/sessions.sqlite.old"), "").unwrap();
    folder("log", 0o755);
    folder("run", 0o755);
    // Empty and root's is given away by the start; this is neither.
    fs::write(path("run/other"), "").unwrap();

    let front = format!(
        "server_ssl_key_file = \"{0}/gate.pem\"\nclient_ssl_ca_file = \"{0}/ca.crt\"",
        path("tls keys").display()
    );
    let setup = Setup {
        keytab: Some(path("secret/web.keytab")),
        front: front.leak(),
        sso: "mechanisms = [\"certificate\", \"negotiate\"]",
        more: format!("[log]\nformat = \"json\"\naudit = \"{}\"", path("log/audit.log").display()),
        core: "sslkeys_path = \"{dir}/sslkeys\"\n[[core.key]]\nfile = \"alice-public.pem\"\nact_as = [\"alice\"]",
        ..Setup::default()
    };
    let app = servers::app();
    let config = setup
        .config(app.port)
        .replace("{dir}/core.sock", "{dir}/run/core.sock")
        .replace("{dir}", dir.path().to_str().unwrap());
    let config = format!(
        "run_as_user = \"{ACCOUNT}\"\nstate_path = \"{}/state\"\n{config}",
        dir.path().display()
    );
    let toml = path("doorward.toml");
    fs::write(&toml, &config).unwrap();

    let mut done = Vec::new();
    for round in 0.. {
        let output = program().args(["check", "--json", "--config"]).arg(&toml).output().unwrap();
        let report: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
        let commands: Vec<String> = report.iter().filter_map(command).collect();
        if commands.is_empty() {
            let failed: Vec<_> = report.iter().filter(|found| found["status"] == "FAIL").collect();
            assert!(failed.is_empty(), "{failed:#?}\nafter {done:#?}");
            break;
        }
        assert!(round < ROUNDS, "it never ends: {done:#?}");
        for command in commands {
            let run = Command::new("sh").args(["-c", &command]).output().unwrap();
            assert!(run.status.success(), "{command}: {run:?}");
            done.push(command);
        }
    }
    for part in ["web.keytab", "'", "sslkeys", "state", "/log", "/run"] {
        assert!(done.iter().any(|command| command.contains(part)), "{part}: {done:#?}");
    }
    let keytab = fs::metadata(path("secret/web.keytab")).unwrap().permissions().mode();
    assert_eq!(keytab & 0o007, 0, "{done:#?}");

    let gateway = Gateway { doorward: Doorward::serve(&config), app };
    gateway.sign_on("alice");
    let pem = pki.text("alice.pem");
    let certified = gateway.get_tls(None, "/", &["--cert", &pem]);
    assert_eq!(certified.status, 200, "{certified:?}");
}

/// The command that a finding advises, where it is one about rights.
fn command(finding: &Value) -> Option<String> {
    let mend = finding["mend"].as_str()?;
    let mend = mend.strip_prefix("run: ").or(mend.strip_prefix("run ")).unwrap_or(mend);
    let begins = ["chmod ", "chown ", "chgrp ", "install ", "usermod "];
    let quoted = mend.strip_prefix('`').and_then(|rest| rest.split('`').next());
    let mend = quoted.unwrap_or(mend);
    begins.iter().any(|word| mend.starts_with(word)).then(|| {
        let end = [", or ", ", and ", ": "].iter().filter_map(|border| mend.find(border)).min();
        mend[..end.unwrap_or(mend.len())].to_owned()
    })
}

#[test]
fn a_keytab_that_everybody_can_read_is_closed_to_all_but_its_owner_and_the_account() {
    let dir = temp_dir("keytab-mode-");
    let keytab = dir.path().join("web.keytab");
    for (owner, mode) in [("root", 0o644), (ACCOUNT, 0o666), ("root", 0o604)] {
        fs::copy(&realm().web_keytab, &keytab).unwrap();
        fs::set_permissions(&keytab, PermissionsExt::from_mode(mode)).unwrap();
        let user = nix::unistd::User::from_name(owner).unwrap().unwrap();
        chown(&keytab, Some(user.uid.as_raw()), Some(0)).unwrap();
        let config = format!("run_as_user = \"{ACCOUNT}\"\n[sso.kerberos]\nkeytab = {keytab:?}\n");
        let found = |check: &str| {
            let output = Doorward::run(&["check", "--json"], &config);
            let report: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
            report.into_iter().find(|finding| finding["check"] == check)
        };
        let advice = command(&found("keytab mode").unwrap()).unwrap();
        assert!(Command::new("sh").args(["-c", &advice]).status().unwrap().success(), "{advice}");
        assert_eq!(found("keytab mode"), None, "{owner} {mode:o}: {advice}");
        assert_eq!(found("keytab").unwrap()["status"], "ok", "{owner} {mode:o}: {advice}");
    }
}

#[test]
fn root_closes_a_keytab_for_the_account_that_systemd_starts_the_gateway_as() {
    let dir = temp_dir("unit-user-");
    let (keytab, state) = (dir.path().join("web.keytab"), dir.path().join("state"));
    fs::copy(&realm().web_keytab, &keytab).unwrap();
    fs::set_permissions(&keytab, PermissionsExt::from_mode(0o644)).unwrap();
    fs::create_dir(&state).unwrap();
    let user = nix::unistd::User::from_name(ACCOUNT).unwrap().unwrap();
    chown(&state, Some(user.uid.as_raw()), Some(user.gid.as_raw())).unwrap();
    // No run_as_user: User= of the unit says it, and the state folder is that account's.
    let config = format!("state_path = {state:?}\n[sso.kerberos]\nkeytab = {keytab:?}\n");
    let output = Doorward::run(&["check", "--json"], &config);
    let report: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found = report.iter().find(|finding| finding["check"] == "keytab mode").unwrap();
    let advice = command(found).unwrap();
    assert!(Command::new("sh").args(["-c", &advice]).status().unwrap().success(), "{advice}");
    let closed = fs::metadata(&keytab).unwrap();
    let (group, mode) = (std::os::unix::fs::MetadataExt::gid(&closed), closed.permissions().mode());
    assert_eq!((group, mode & 0o777), (user.gid.as_raw(), 0o640), "{advice}");
}

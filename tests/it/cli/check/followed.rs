//! Advice is tested by following it: afterwards the same check has nothing to say.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use nix::unistd::{User, chown};
use serde_json::Value;

use crate::gateway::{Setup, web};
use crate::lab::doorward::program;
use crate::lab::{Pki, temp_dir};
use crate::sessions::full_disk::SmallDisk;

/// A configuration in a folder of its own, in which `{dir}` is that folder.
struct Checked(tempfile::TempDir);

impl Checked {
    fn new(config: &str) -> Self {
        let checked = Self(temp_dir("followed-"));
        checked.configure(config);
        checked
    }

    fn dir(&self) -> &Path {
        self.0.path()
    }

    fn configure(&self, config: &str) {
        let text = config.replace("{dir}", self.dir().to_str().unwrap());
        fs::write(self.dir().join("doorward.toml"), text).unwrap();
    }

    /// What is to be done about what a check has found.
    fn complaints(&self, check: &str) -> Vec<(String, String)> {
        let mut run = program();
        run.args(["check", "--json", "--config"]).arg(self.dir().join("doorward.toml"));
        let report: Vec<Value> = serde_json::from_slice(&run.output().unwrap().stdout).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let wanted = report
            .iter()
            .filter(|finding| finding["check"] == check && finding["status"] != "ok")
            .map(|finding| (text(&finding["found"]), text(&finding["mend"])));
        wanted.collect()
    }

    /// Follows the one advice of a check: then it complains no more.
    #[track_caller]
    fn follow(&self, check: &str, follow: impl FnOnce(&str)) {
        let complaints = self.complaints(check);
        assert_eq!(complaints.len(), 1, "{check}: {complaints:?}");
        follow(&complaints[0].1);
        let left = self.complaints(check);
        assert!(left.is_empty(), "after {:?}: {left:?}", complaints[0].1);
    }
}

/// Runs what is in an advice as a command: all of it, or as far as a comma.
#[track_caller]
fn run(mend: &str) {
    let command = mend.split(", ").next().unwrap();
    let done = Command::new("sh").args(["-c", command]).output().unwrap();
    assert!(done.status.success(), "{command}: {done:?}");
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

fn config(more: &str) -> String {
    format!("state_path = \"{{dir}}/state\"\n{more}\n{}", Setup::default().config(1))
}

#[test]
fn a_state_folder_with_files_of_root_is_given_to_the_account() {
    let checked = Checked::new(&config("run_as_user = \"nobody\"\nrun_as_group = \"nogroup\""));
    let state = checked.dir().join("state");
    fs::create_dir(&state).unwrap();
    let nobody = User::from_name("nobody").unwrap().unwrap();
    chown(&state, Some(nobody.uid), Some(nobody.gid)).unwrap();
    fs::write(state.join("sessions.sqlite"), "").unwrap();
    set_mode(&state.join("sessions.sqlite"), 0o600);
    checked.follow("state files", run);
    set_mode(&state.join("sessions.sqlite"), 0o400);
    checked.follow("state files", run);

    chown(&state, Some(0.into()), Some(0.into())).unwrap();
    set_mode(&state, 0o755);
    checked.follow("state", run);
}

#[test]
fn a_state_folder_that_is_missing_or_open_is_made_and_shut() {
    let run_as = "run_as_user = \"nobody\"\nrun_as_group = \"nogroup\"";
    let checked = Checked::new(&config(run_as).replace("{dir}/state", "{dir}/a'b/state"));
    let above = checked.dir().join("a'b");
    fs::create_dir(&above).unwrap();
    set_mode(&above, 0o755);
    // Somebody else's folder: root makes nothing in it.
    let state = above.join("state");
    fs::create_dir(&state).unwrap();
    fs::write(state.join("key.pem"), "").unwrap();
    checked.follow("state", run);
    set_mode(&state, 0o755);
    set_mode(&state.join("key.pem"), 0o644);
    checked.follow("state mode", run);
    assert_eq!(fs::metadata(state.join("key.pem")).unwrap().permissions().mode() & 0o7777, 0o600);
}

#[test]
fn a_damaged_store_is_moved_aside_and_a_full_disk_is_given_room() {
    let checked = Checked::new(&config(""));
    let state = checked.dir().join("state");
    fs::create_dir(&state).unwrap();
    set_mode(&state, 0o700);
    let store = state.join("sessions.sqlite");
    fs::write(&store, "this is no database").unwrap();
    set_mode(&store, 0o600);
    checked.follow("session store", |mend| {
        assert!(mend.contains(&format!("move {} aside", store.display())), "{mend}");
        fs::rename(&store, state.join("aside")).unwrap();
    });

    let disk = SmallDisk::mount();
    disk.fill();
    let own = disk.path().join("state");
    fs::create_dir(&own).unwrap();
    checked.configure(&config("").replace("{dir}/state", own.to_str().unwrap()));
    checked.follow("disk", |mend| {
        assert!(mend.contains("or set state_path to another"), "{mend}");
        checked.configure(&config(""));
    });
}

#[test]
fn a_chain_is_completed_by_the_certificate_that_was_found_beside_it() {
    let pki = Pki::new();
    pki.key("mid", "P-256");
    pki.issue("mid", "ca", "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,cRLSign\n");
    pki.key("web", "P-256");
    pki.issue("web", "mid", &format!("subjectAltName=DNS:{}\n", web()));
    set_mode(&pki.path("web.pem"), 0o644);
    let key = format!("server_ssl_key_file = \"{}\"\n[sso]", pki.text("web.pem"));
    let checked = Checked::new(&config("").replace("[sso]", &key));
    checked.follow("certificate chain", |mend| {
        let place = pki.text("mid.crt");
        assert!(mend.contains(&place), "{mend}");
        let both = [fs::read(pki.path("web.pem")).unwrap(), fs::read(place).unwrap()];
        fs::write(pki.path("web.pem"), both.concat()).unwrap();
    });

    let complaints = checked.complaints("certificate");
    let open: Vec<_> = complaints.iter().filter(|(found, _)| found.contains("mode 0644")).collect();
    assert_eq!(open.len(), 1, "{complaints:?}");
    run(&open[0].1);
    let left = checked.complaints("certificate");
    assert!(!left.iter().any(|(found, _)| found.contains("mode")), "{left:?}");
}

#[test]
fn an_outdated_list_is_replaced_by_a_new_one() {
    let pki = Pki::new();
    pki.revoke(&[], "-30 days");
    let crl = format!("crl_file = \"{}\"\n", pki.text("crl.pem"));
    let setup = Setup { more: pki.core(&crl), ..Setup::default() }.config(1);
    let (config, _) = setup.rsplit_once("[core]").unwrap();
    let checked = Checked::new(&format!("state_path = \"{{dir}}/state\"\n{config}"));
    checked.follow("core authorities", |mend| {
        assert!(mend.contains("fetch a new list"), "{mend}");
        pki.revoke(&[], "-1 hour");
    });
}

#[test]
fn settings_that_are_changed_as_advised_are_fine() {
    let checked = Checked::new(&config("").replace("[sso]", "max_header_bytes = 8192\n[sso]"));
    checked.follow("header size", |mend| {
        assert!(mend.contains("max_header_bytes = 163840"), "{mend}");
        checked.configure(&config("").replace("[sso]", "max_header_bytes = 163840\n[sso]"));
    });
    let plain = config("").replace("listen_tls = [\"127.0.0.1:0\"]\n", "");
    checked.configure(&plain);
    checked.follow("proxy", |mend| {
        assert!(mend.contains("[front] trusted_proxies"), "{mend}");
        checked.configure(&plain.replace("[sso]", "trusted_proxies = [\"127.0.0.1\"]\n[sso]"));
    });
    let required = config("").replace("[sso]\n", "[sso]\nchannel_binding = \"require\"\n");
    checked.configure(&required);
    checked.follow("proxy", |mend| {
        assert!(mend.contains("channel_binding = \"allow\""), "{mend}");
        checked.configure(&required.replace("\"require\"", "\"allow\""));
    });
}

#[test]
fn an_entry_without_its_key_is_found_also_where_nobody_comes_by_certificate() {
    let core = "sslkeys_path = \"{dir}/sslkeys\"\n\
                [[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"*\"]";
    let checked = Checked::new(&Setup { core, ..Setup::default() }.config(1));
    let pki = Pki::new();
    pki.client("webapp");
    let sslkeys = checked.dir().join("sslkeys");
    fs::create_dir(&sslkeys).unwrap();
    set_mode(&sslkeys, 0o755);
    let misnamed = sslkeys.join("web-app-public.pem");
    fs::copy(pki.path("webapp-public.pem"), &misnamed).unwrap();
    let complaints = checked.complaints("keys");
    assert!(
        complaints.iter().any(|(found, _)| found.contains("did you mean web-app")),
        "{complaints:?}"
    );
    fs::rename(misnamed, sslkeys.join("webapp-public.pem")).unwrap();
    assert_eq!(checked.complaints("keys"), []);
}

//! Started as root, Doorward runs as its account: for good, in every thread, and with
//! what that account may read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::process::Command;

use nix::unistd::{Group, User};

use crate::gateway::{Gateway, Setup};
use crate::lab::{Doorward, LIMIT, Process, curl, realm, temp_dir};

/// An account of Debian that owns nothing, and a group it is put into.
pub(super) const ACCOUNT: &str = "games";
const GROUP: &str = "winbindd_priv";

/// The account's uid and gid.
pub(crate) fn ids() -> (u32, u32) {
    let user = User::from_name(ACCOUNT).unwrap().unwrap();
    (user.uid.as_raw(), user.gid.as_raw())
}

/// A keytab of the web server that belongs to the account.
pub(crate) fn own_keytab(dir: &Path) -> PathBuf {
    let path = dir.join("web.keytab");
    fs::copy(&realm().web_keytab, &path).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o400)).unwrap();
    let (uid, gid) = ids();
    chown(&path, Some(uid), Some(gid)).unwrap();
    path
}

/// A gateway with this keytab, whose audit lines go where its log goes.
pub(crate) fn setup(keytab: PathBuf) -> Setup {
    let more = "[log]\nformat = \"json\"".to_owned();
    Setup { keytab: Some(keytab), more, ..Setup::default() }
}

/// The same, run as the account, with another `listen` line.
pub(crate) fn config(setup: &Setup, port: u16, listen: &str) -> String {
    let text = setup.config(port).replace("listen = [\"127.0.0.1:0\"]", listen);
    format!(
        "run_as_user = \"{ACCOUNT}\"\n{}",
        text.replace("{dir}/core.sock", "{dir}/run/core.sock")
    )
}

/// What the kernel says of every thread of a process: field → the values it has.
fn status_of_threads(pid: u32, field: &str) -> BTreeSet<String> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).unwrap().map(Result::unwrap);
    let values: Vec<String> = threads
        .filter_map(|thread| fs::read_to_string(thread.path().join("status")).ok())
        .map(|status| {
            let line = status.lines().find(|line| line.starts_with(&format!("{field}:"))).unwrap();
            line.split_ascii_whitespace().skip(1).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert!(values.len() > 2, "threads that could be looked at: {values:?}");
    values.into_iter().collect()
}

/// Every thread of the process has this value.
#[track_caller]
pub(crate) fn assert_all(pid: u32, field: &str, expected: &str) {
    let found = status_of_threads(pid, field);
    assert_eq!(found, BTreeSet::from([expected.to_owned()]), "{field} of the threads");
}

#[test]
fn on_port_80_every_thread_is_the_account_with_its_groups_and_no_way_back() {
    let keys = temp_dir("keys-");
    let setup = setup(own_keytab(keys.path()));
    let app = crate::lab::servers::app();
    let mut doorward =
        Doorward::serve(&config(&setup, app.port, "listen = [\"127.0.0.1:80\", \"127.0.0.1:0\"]"));
    let (uid, gid) = ids();
    let dropped = doorward.wait_log("the drop", |line| line["event"] == "privileges_dropped");
    assert_eq!(dropped["uid"], uid);

    let pid = doorward.id();
    let port_80 = realm().host("web");
    let answer = curl(None, &[&format!("http://{port_80}:80/.doorward/whoami")]);
    assert_eq!(answer.status, 401);
    assert_all(pid, "Uid", &[uid.to_string().as_str(); 4].join(" "));
    assert_all(pid, "Gid", &[gid.to_string().as_str(); 4].join(" "));
    let listed = Command::new("id").args(["-G", ACCOUNT]).output().unwrap();
    let mut expected: Vec<u32> = String::from_utf8(listed.stdout)
        .unwrap()
        .split_ascii_whitespace()
        .map(|gid| gid.parse().unwrap())
        .collect();
    expected.sort_unstable();
    let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
    assert_all(pid, "Groups", &expected.join(" "));
    for set in ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"] {
        assert_all(pid, set, "0000000000000000");
    }
    assert_all(pid, "NoNewPrivs", "1");
    // Files of a process that is closed to debuggers belong to root.
    assert_eq!(fs::metadata(format!("/proc/{pid}/mem")).unwrap().uid(), 0);

    for (path, mode) in [("state", 0o700), ("state/sessions.sqlite", 0o600), ("run", 0o755)] {
        let found = fs::metadata(doorward.dir().join(path)).unwrap();
        assert_eq!((found.uid(), found.gid()), (uid, gid), "{path}");
        assert_eq!(found.mode() & 0o777, mode, "{path}");
    }
    let socket = fs::metadata(doorward.core_socket()).unwrap();
    assert_eq!((socket.uid(), socket.mode() & 0o777), (uid, 0o666));

    // Who signs on, and who may ask the core, is as before.
    let gateway = Gateway { doorward, app };
    let cookie = gateway.sign_on("alice");
    let socket = gateway.doorward.core_socket();
    let asked = curl(None, &["--unix-socket", socket.to_str().unwrap(), "http://core/v1/whoami"]);
    assert_eq!(asked.json()["as"], "SYSTEM", "root is in local_admin_users");

    // A restart finds what is the account's already.
    doorward = gateway.doorward;
    doorward.restart();
    let gateway = Gateway { doorward, app: gateway.app };
    assert_eq!(gateway.whoami(&cookie).status, 200);
}

#[test]
fn the_supplementary_groups_of_the_account_count_and_no_group_of_root() {
    // The account gets its membership in a copy of the system's table that only this
    // process and its children see.
    let dir = temp_dir("groups-");
    let group = Group::from_name(GROUP).unwrap().unwrap();
    let table: String = fs::read_to_string("/etc/group")
        .unwrap()
        .lines()
        .map(|line| match line.starts_with(&format!("{GROUP}:")) {
            true => format!("{GROUP}:x:{}:{ACCOUNT}\n", group.gid),
            false => format!("{line}\n"),
        })
        .collect();
    fs::write(dir.path().join("group"), table).unwrap();
    let keytab = own_keytab(dir.path());
    // Nobody but that group may pass this folder.
    let inner = dir.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::set_permissions(&inner, PermissionsExt::from_mode(0o750)).unwrap();
    chown(&inner, Some(0), Some(group.gid.as_raw())).unwrap();
    fs::rename(keytab, inner.join("web.keytab")).unwrap();

    let config = config(&setup(inner.join("web.keytab")), 1, "listen = [\"127.0.0.1:0\"]")
        .replace("{dir}", dir.path().to_str().unwrap());
    let file = dir.path().join("doorward.toml");
    let state = format!("state_path = \"{}/state\"\n", dir.path().display());
    fs::write(&file, state + &config).unwrap();
    let script = format!(
        "mount --bind {0}/group /etc/group && exec {1} serve --config {0}/doorward.toml",
        dir.path().display(),
        env!("CARGO_BIN_EXE_doorward")
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "setpriv", "--groups", "0,4,24", "sh", "-c", &script]);
    command.env("KRB5_CONFIG", &realm().krb5_config_two_realms);
    let mut process = Process::start("doorward serve", &mut command);
    process.wait_for(|line| line.contains("\"event\":\"ready\""), LIMIT);

    let (_, gid) = ids();
    let mut expected = [gid, group.gid.as_raw()];
    expected.sort_unstable();
    let expected = expected.map(|gid| gid.to_string()).join(" ");
    assert_all(process.id(), "Groups", &expected);
    let unreadable = process.lines().into_iter().find(|line| line.contains("not readable"));
    assert_eq!(unreadable, None);
    assert!(process.stop().success());
}

#[test]
fn who_is_not_root_cannot_become_another_and_is_told_so() {
    let dir = temp_dir("not-root-");
    fs::copy(env!("CARGO_BIN_EXE_doorward"), dir.path().join("doorward")).unwrap();
    for (user, expected) in [
        (ACCOUNT, "cannot become games"),
        ("no-such-account", "run_as_user names \"no-such-account\""),
        ("root", "run_as_user names root"),
    ] {
        let file = dir.path().join("doorward.toml");
        let text = format!("run_as_user = \"{user}\"\n[front]\nlisten = [\"127.0.0.1:0\"]\n");
        fs::write(&file, text).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]);
        command.arg(dir.path().join("doorward")).arg("serve").arg("--config").arg(&file);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(78), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}

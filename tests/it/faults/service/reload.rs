//! A reload that fails is seen to fail, and what it cannot change is named.

use std::os::unix::net::UnixDatagram;
use std::process::{Command, Output};

use nix::sys::signal::Signal;

use crate::gateway::{Gateway, Setup};
use crate::lab::doorward::program;
use crate::lab::{Doorward, LIMIT, curl, install, servers, temp_dir, wait_until};

/// Writes a configuration, and asks as `ExecReload=` of the unit does.
fn reload(gateway: &Gateway, config: &str) -> (Option<i32>, String) {
    let file = gateway.doorward.dir().join("doorward.toml");
    let dir = gateway.doorward.dir().to_str().unwrap();
    let text = format!(
        "state_path = \"{{dir}}/state\"\n{config}\n[log]\nformat = \"json\"\naudit = \"{{dir}}/audit\"\n"
    );
    std::fs::write(file, text.replace("{dir}", dir)).unwrap();
    told(&ask(gateway.doorward.id()))
}

fn ask(pid: u32) -> Output {
    program().arg("reload").arg(pid.to_string()).output().unwrap()
}

fn told(output: &Output) -> (Option<i32>, String) {
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn whoever_asks_hears_what_came_of_it() {
    let gateway = Gateway::start();
    let cookie = format!("Cookie: {}", gateway.sign_on("alice"));
    let status = || curl(None, &["-H", &cookie, &gateway.doorward.url("/")]).status;
    let config = |setup: &Setup| setup.config(gateway.app.port);

    let stricter = Setup { site: "require = [\"user:bob\"]", ..Setup::default() };
    assert_eq!(reload(&gateway, &config(&stricter)), (Some(0), String::new()));
    assert_eq!(status(), 403, "the answer comes when the new configuration holds");

    let wrong = config(&Setup::default()).replace("host = \"*\"", "hots = \"*\"");
    let (code, said) = reload(&gateway, &wrong);
    assert_eq!(code, Some(78), "{said}");
    assert!(said.contains("doorward.toml:") && said.contains("did you mean host?"), "{said}");
    assert_eq!(status(), 403, "the old one stays");

    let missing = Setup { front: "server_ssl_key_file = \"/nonexistent.pem\"", ..Setup::default() };
    let (code, said) = reload(&gateway, &config(&missing));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("/nonexistent.pem"), "{said}");
    assert_eq!(status(), 403, "the old one stays");

    assert_eq!(reload(&gateway, &config(&Setup::default())), (Some(0), String::new()));
    assert_eq!(status(), 200);
}

#[test]
fn what_takes_a_restart_is_named_and_stays_as_it_was() {
    let gateway = Gateway::start();
    let pki = crate::lab::Pki::new();
    let plain = Setup::default().config(gateway.app.port);
    let tls = format!(
        "listen_tls = \"127.0.0.1:0\"\nserver_ssl_key_file = \"{}\"\nserver_ssl_ca_file = \"{}\"",
        pki.text("core.pem"),
        pki.text("ca.crt")
    );
    let changed = plain
        .replace(
            "listen = \"unix:{dir}/core.sock\"",
            &format!("listen = \"unix:{{dir}}/other.sock\"\n{tls}"),
        )
        .replace("listen_tls = [\"127.0.0.1:0\"]", "listen_tls = []\nmax_connections = 7");
    let changed = format!("server_name = \"other\"\nrun_as_user = \"nobody\"\n{changed}");
    for _ in 0..2 {
        let (code, said) = reload(&gateway, &changed);
        assert_eq!(code, Some(0), "{said}");
        for key in [
            "server_name",
            "run_as_user",
            "core.listen",
            "core.listen_tls",
            "front.listen_tls",
            "front.max_connections",
        ] {
            assert!(said.contains(key), "{key}: {said}");
        }
        assert!(said.contains("needs a restart"), "{said}");
    }
    gateway.doorward.wait_log("the keys in the log", |line| {
        line.to_string().contains("core.listen_tls") && line.to_string().contains("restart")
    });
    assert_eq!(gateway.get_tls(None, "/.doorward/whoami", &[]).status, 401, "TLS goes on");
    assert!(!gateway.doorward.dir().join("other.sock").exists());
    assert_eq!(reload(&gateway, &plain), (Some(0), String::new()), "taken back: no word");
}

#[test]
fn only_the_gateway_s_own_user_and_root_may_ask_and_only_a_gateway_answers() {
    let gateway = Gateway::start();
    let own = std::process::id();
    let (code, said) = told(&ask(own));
    assert_eq!(code, Some(1));
    assert!(said.contains(&format!("process {own} is not a running doorward")), "{said}");
    let dir = temp_dir("reload-");
    let copy = dir.path().join("doorward");
    install(env!("CARGO_BIN_EXE_doorward").as_ref(), &copy);
    let mut stranger = Command::new("setpriv");
    stranger.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]).arg(copy);
    let output = stranger.arg("reload").arg(gateway.doorward.id().to_string()).output().unwrap();
    let (code, said) = told(&output);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("own user or as root"), "{said}");
    assert!(gateway.doorward.log().iter().all(|line| line["event"] != "reloaded"));
}

#[test]
fn systemd_is_told_when_a_reload_begins_and_what_came_of_it() {
    let dir = temp_dir("notify-");
    let path = dir.path().join("notify");
    let notify = UnixDatagram::bind(&path).unwrap();
    notify.set_read_timeout(Some(LIMIT)).unwrap();
    let app = servers::app();
    let config = Setup::default().config(app.port);
    let env = [("NOTIFY_SOCKET", path.to_str().unwrap())];
    let doorward = Doorward::start("serve", &config, &env);
    let next = || {
        let mut buffer = [0; 4096];
        let length = notify.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    assert!(next().contains("READY=1"));
    doorward.reload(&config);
    let begun = next();
    assert!(begun.contains("RELOADING=1") && begun.contains("MONOTONIC_USEC="), "{begun}");
    let done = next();
    assert!(done.contains("READY=1") && done.contains("STATUS=configuration read at"), "{done}");
    doorward.reload(&config.replace("host = \"*\"", "hots = \"*\""));
    assert!(next().contains("RELOADING=1"));
    let failed = next();
    assert!(failed.contains("READY=1") && failed.contains("failed"), "{failed}");
    assert!(failed.contains("did you mean host?"), "{failed}");
}

#[test]
fn an_audit_file_that_was_rotated_is_opened_anew_though_the_configuration_is_wrong() {
    let gateway = Gateway::start();
    gateway.sign_on("alice");
    let audit = gateway.doorward.dir().join("audit");
    gateway.doorward.wait_audit("the first sign-on", |line| line["outcome"] == "granted");
    std::fs::rename(&audit, audit.with_extension("1")).unwrap();
    std::fs::write(gateway.doorward.dir().join("doorward.toml"), "nonsense").unwrap();
    gateway.doorward.signal(Signal::SIGHUP);
    gateway.doorward.wait_log("the reload", |line| line["event"] == "reload_failed");
    gateway.sign_on("bob");
    gateway.doorward.wait_audit("the second sign-on", |line| line["login"] == "bob");
    let mode = wait_until(LIMIT, "the file", || std::fs::metadata(&audit).ok());
    let mode = std::os::unix::fs::PermissionsExt::mode(&mode.permissions());
    assert_eq!(mode & 0o777, 0o640, "as documented, whatever the umask");
}

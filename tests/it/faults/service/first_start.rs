//! What a new administrator meets at the first start.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::Value;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::doorward::program;
use crate::lab::{Doorward, LIMIT, Process, realm, servers, temp_dir};
use crate::process::privileges::{config, ids, own_keytab, setup};

#[test]
fn a_file_that_names_listen_tls_alone_listens_nowhere_else() {
    // Where this port is free, the test takes it; else somebody has.
    let _taken = std::net::TcpListener::bind("127.0.0.1:8080");
    for front in ["", "listen = []\n"] {
        let config = format!(
            "[front]\n{front}listen_tls = [\"127.0.0.1:0\"]\n[sso.kerberos]\nkeytab = \"{}\"\n",
            realm().web_keytab.display()
        );
        let doorward = Doorward::serve(&config);
        let plain = doorward.log().into_iter().find(|line| line.to_string().contains("\"http\""));
        assert_eq!(plain, None);
        assert_ne!(doorward.https_port(), 0);
    }
}

#[test]
fn a_requirement_that_nobody_can_meet_is_an_error_and_one_that_is_not_met_is_explained() {
    for word in ["group:webusers", "company:acme", "admin"] {
        let config = format!("[[site]]\nrequire = [\"{word}\"]\n");
        for command in ["check", "serve"] {
            let output = Doorward::run(&[command], &config);
            let said = text_of(&output);
            assert_eq!(output.status.code(), Some(78), "{word}: {said}");
            assert!(said.contains("is met by nobody"), "{said}");
        }
    }
    let require = "require = [\"group:S-1-5-21-1-2-3-4\", \"user:bob\"]";
    let gateway = Setup { site: require, ..Setup::default() }.start();
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let refused = gateway.send_token(&token);
    assert_eq!((refused.status, &refused.json()["error"]), (403, &"requirement_not_met".into()));
    let line = gateway.doorward.wait_audit("the refusal", |line| line["outcome"] == "refused");
    let detail = line["detail"].as_str().unwrap_or_default();
    for part in ["the site requires group:S-1-5-21-1-2-3-4 or user:bob", "user:alice", "-513"] {
        assert!(detail.contains(part), "{part}: {line}");
    }
}

#[test]
fn the_socket_s_folder_is_judged_as_the_start_does_it() {
    let keys = temp_dir("keys-");
    let setup = setup(own_keytab(keys.path()));
    for made in [false, true] {
        let dir = temp_dir("sockets-");
        let run = dir.path().join("run");
        if made {
            std::fs::create_dir(&run).unwrap();
        }
        let found = check(dir.path(), &config(&setup, 1, "listen = [\"127.0.0.1:0\"]"));
        let core = found.iter().find(|finding| finding["check"] == "core").unwrap();
        assert_eq!(core["status"], "ok", "made: {made}: {core}");
    }
}

#[test]
fn a_socket_that_nobody_listens_on_is_replaced_whoever_left_it_and_a_live_one_is_not() {
    let keys = temp_dir("keys-");
    let setup = setup(own_keytab(keys.path()));
    let app = servers::app();
    let dir = temp_dir("stale-");
    let run = dir.path().join("run");
    std::fs::create_dir(&run).unwrap();
    let (uid, gid) = ids();
    chown(&run, Some(uid), Some(gid)).unwrap();
    let socket = run.join("core.sock");
    let text = config(&setup, app.port, "listen = [\"127.0.0.1:0\"]")
        .replace("{dir}/run/core.sock", socket.to_str().unwrap());

    let live = UnixListener::bind(&socket).unwrap();
    std::fs::set_permissions(&socket, PermissionsExt::from_mode(0o700)).unwrap();
    let mut serve = program();
    serve.arg("serve").arg("--config").arg(write(dir.path(), &text));
    let mut process = Process::start("doorward serve", &mut serve);
    process.wait_for(|line| line.contains("another core listens on"), LIMIT);
    assert_eq!(process.wait_exit(LIMIT).code(), Some(1));
    UnixStream::connect(&socket).unwrap();

    drop(live);
    let found = check(dir.path(), &text);
    let core = found.iter().find(|finding| finding["check"] == "core").unwrap();
    assert_eq!(core["status"], "ok", "{core}");
    let gateway = Gateway { doorward: Doorward::serve(&text), app };
    gateway.sign_on("alice");
}

fn write(dir: &Path, config: &str) -> PathBuf {
    let file = dir.join("doorward.toml");
    let text = format!("state_path = \"{{dir}}/state\"\n{config}");
    std::fs::write(&file, text.replace("{dir}", dir.to_str().unwrap())).unwrap();
    file
}

fn check(dir: &Path, config: &str) -> Vec<Value> {
    let file = write(dir, config);
    let output = program().args(["check", "--json", "--config"]).arg(file).output().unwrap();
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text_of(&output)))
}

fn text_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

//! Sockets that are open before Doorward starts.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::lab::{LIMIT, Process, curl, realm, temp_dir, wait_until};
use crate::process::privileges::{assert_all, config, ids, own_keytab, setup};

#[test]
fn sockets_that_are_handed_over_are_served_and_those_of_the_file_are_not_bound() {
    let keys = temp_dir("keys-");
    let setup = setup(own_keytab(keys.path()));
    let app = crate::lab::servers::app();
    let dir = temp_dir("activated-");
    let path = dir.path().to_str().unwrap();
    // A port that is taken: binding it would fail.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = format!("listen = [\"{}\"]", taken.local_addr().unwrap());
    let text = format!("state_path = \"{path}/state\"\n")
        + &config(&setup, app.port, &taken).replace("{dir}", path);
    fs::write(dir.path().join("doorward.toml"), text).unwrap();
    let ports = [(); 3].map(|()| crate::lab::free_port());
    let socket = dir.path().join("handed.sock");
    let mut command = Command::new("systemd-socket-activate");
    for port in ports {
        command.arg(format!("--listen=127.0.0.1:{port}"));
    }
    command.arg(format!("--listen={}", socket.display()));
    command.arg("--fdname=front:front-tls:status:core");
    command.args(["-E", &format!("KRB5_CONFIG={}", realm().krb5_config_two_realms.display())]);
    command.arg(env!("CARGO_BIN_EXE_doorward"));
    command.arg("serve").arg("--config").arg(dir.path().join("doorward.toml"));
    let mut process = Process::start("systemd-socket-activate", &mut command);
    let [http, https, status] = ports;
    // The first connection starts the program, and waits for its answer.
    let url = |scheme: &str, port: u16, path: &str| {
        format!("{scheme}://{}:{port}{path}", realm().host("web"))
    };
    // As SocketMode= of systemd.socket(5) is by default.
    let everybody: fs::Permissions = PermissionsExt::from_mode(0o666);
    wait_until(LIMIT, "the socket", || fs::set_permissions(&socket, everybody.clone()).ok());
    wait_until(LIMIT, "the first connection", || {
        std::os::unix::net::UnixStream::connect(&socket).ok().map(drop)
    });
    process.wait_for(|line| line.contains("\"event\":\"ready\""), LIMIT);
    let fetch = |url: &str| curl(None, &["--insecure", url]).status;
    assert_eq!(fetch(&url("http", http, "/.doorward/whoami")), 401);
    assert_eq!(fetch(&url("https", https, "/.doorward/whoami")), 401);
    assert_eq!(fetch(&url("http", status, "/ready")), 200);
    let asked = curl(None, &["--unix-socket", socket.to_str().unwrap(), "http://core/v1/whoami"]);
    assert_eq!(asked.json()["as"], "SYSTEM");
    assert_all(process.id(), "Uid", &[ids().0.to_string().as_str(); 4].join(" "));
    process.signal(Signal::SIGHUP);
    process.wait_for(|line| line.contains("\"event\":\"reloaded\""), LIMIT);
    assert_eq!(fetch(&url("https", https, "/.doorward/whoami")), 401);
    let restart = process.lines().into_iter().find(|line| line.contains("needs a restart"));
    assert_eq!(restart, None, "the addresses are still those that were handed over");
}

#[test]
fn a_socket_under_a_wrong_name_or_of_a_wrong_kind_is_refused_with_the_mend() {
    let dir = temp_dir("odd-sockets-");
    let file = dir.path().join("doorward.toml");
    fs::write(&file, "[front]\nlisten = [\"127.0.0.1:0\"]\n").unwrap();
    for (name, expected) in
        [("door", "FileDescriptorName="), ("core", "not a listening unix socket")]
    {
        let port = crate::lab::free_port();
        let mut command = Command::new("systemd-socket-activate");
        command.arg(format!("--listen=127.0.0.1:{port}")).arg(format!("--fdname={name}"));
        command.arg(env!("CARGO_BIN_EXE_doorward")).arg("serve").arg("--config").arg(&file);
        let mut process = Process::start("systemd-socket-activate", &mut command);
        let _first = wait_until(LIMIT, "the socket", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).ok()
        });
        process.wait_for(|line| line.contains(expected), LIMIT);
        assert_eq!(process.wait_exit(LIMIT).code(), Some(1));
    }
}

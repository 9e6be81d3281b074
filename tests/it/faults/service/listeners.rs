//! Sockets, and how they come.

use std::net::TcpStream;
use std::process::Command;

use crate::gateway::Setup;
use crate::lab::{Doorward, LIMIT, free_port, servers, temp_dir, wait_until};

#[test]
fn both_families_share_a_port() {
    let app = servers::app();
    for order in [["0.0.0.0", "[::]"], ["[::]", "0.0.0.0"]] {
        let port = free_port();
        let [one, other] = order;
        let listen = format!("listen = [\"{one}:{port}\", \"{other}:{port}\"]");
        let config =
            Setup::default().config(app.port).replace("listen = [\"127.0.0.1:0\"]", &listen);
        let _doorward = Doorward::serve(&config);
        for address in ["127.0.0.1", "::1"] {
            TcpStream::connect((address, port)).unwrap();
        }
    }
    let port = free_port();
    let listen = format!("listen = [\"[::]:{port}\"]");
    let config = Setup::default().config(app.port).replace("listen = [\"127.0.0.1:0\"]", &listen);
    let _doorward = Doorward::serve(&config);
    for address in ["127.0.0.1", "::1"] {
        TcpStream::connect((address, port)).unwrap();
    }
}

#[test]
fn sockets_that_were_handed_to_another_process_are_none_of_ours() {
    let app = servers::app();
    for pid in ["1", "4294967295"] {
        let inherited = [("LISTEN_PID", pid), ("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "x")];
        let doorward = Doorward::start("serve", &Setup::default().config(app.port), &inherited);
        TcpStream::connect(("127.0.0.1", doorward.http_port())).unwrap();
    }
}

#[test]
fn a_port_that_none_can_be_and_the_gateway_itself_are_errors_of_the_configuration() {
    let dir = temp_dir("upstream-");
    let file = dir.path().join("doorward.toml");
    let listen = "listen = [\"127.0.0.1:8080\", \"0.0.0.0:8081\"]\nlisten_tls = [\"[::]:8443\"]";
    for (upstream, words) in [
        ("http://127.0.0.1:99999", "from 1 to 65535"),
        ("http://127.0.0.1:65536", "from 1 to 65535"),
        ("http://127.0.0.1:0", "from 1 to 65535"),
        ("http://127.0.0.1:", "from 1 to 65535"),
        ("http://127.0.0.1:80x", "from 1 to 65535"),
        ("http://[::1]:99999", "from 1 to 65535"),
        ("http://127.0.0.1:8080", "is this gateway itself"),
        ("http://localhost:8080", "is this gateway itself"),
        ("http://127.1.2.3:8081", "is this gateway itself"),
        ("http://[::1]:8443", "is this gateway itself"),
        ("http://0.0.0.0:8080", "is this gateway itself"),
    ] {
        std::fs::write(&file, format!("[front]\n{listen}\n[[site]]\nupstream = \"{upstream}\"\n"))
            .unwrap();
        let done = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["serve", "--config"])
            .arg(&file)
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        assert_eq!(done.status.code(), Some(78), "{upstream}: {said}");
        assert!(said.contains(words), "{upstream}: {said}");
    }
    let other = "http://127.0.0.1:9001";
    std::fs::write(&file, format!("[front]\n{listen}\n[[site]]\nupstream = \"{other}\"\n"))
        .unwrap();
    let checked = wait_until(LIMIT, "a check", || {
        let done = Command::new(env!("CARGO_BIN_EXE_doorward"));
        let mut done = done;
        done.args(["check", "--config"]).arg(&file).output().ok()
    });
    assert_ne!(checked.status.code(), Some(78));
}

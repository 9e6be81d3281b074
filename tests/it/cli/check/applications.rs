//! What the check asks of applications.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use super::finding;
use crate::gateway::Setup;
use crate::lab::{Doorward, timed};

/// An application that does this with each connection.
fn serving(with: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().flatten().for_each(with));
    port
}

/// Status, and all that is said, of the application at a port.
#[track_caller]
fn upstream(port: u16, site: &'static str) -> (String, String) {
    let setup = Setup { site, ..Setup::default() };
    let output = Doorward::run(&["check", "--json"], &setup.config(port));
    let found = finding(&output, "upstream");
    (found["status"].as_str().unwrap().to_owned(), found.to_string())
}

#[test]
fn one_request_is_sent_that_says_whose_it_is() {
    let (tell, told) = std::sync::mpsc::channel();
    let port = serving(move |mut stream| {
        let mut heard = [0; 1024];
        let length = stream.read(&mut heard).unwrap_or(0);
        tell.send(String::from_utf8_lossy(&heard[..length]).into_owned()).unwrap();
        let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n");
    });
    let (status, said) = upstream(port, "path = \"/app\"");
    assert_eq!(status, "ok", "{said}");
    assert!(said.contains("answers GET /app with 204"), "{said}");
    let request = told.recv().unwrap();
    assert!(request.starts_with("GET /app HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("\r\nUser-Agent: doorward-check\r\n"), "{request}");
    assert!(!request.to_lowercase().contains("remote-user"), "{request}");
    assert!(told.try_recv().is_err(), "it was asked twice");
}

#[test]
fn one_that_says_nothing_is_waited_for_three_seconds() {
    let (keep, _kept) = std::sync::mpsc::channel();
    let port = serving(move |stream| keep.send(stream).unwrap_or_default());
    let ((status, said), took) = timed(|| upstream(port, ""));
    assert_eq!(status, "warn", "{said}");
    assert!(said.contains("does not answer GET / within 3 s"), "{said}");
    assert!(took < Duration::from_secs(30), "{took:?}");
}

#[test]
fn one_that_hangs_up_or_has_a_fault_of_its_own_is_told_apart() {
    let (status, said) = upstream(serving(drop), "");
    assert_eq!(status, "FAIL", "{said}");
    assert!(said.contains("closes them without an answer"), "{said}");
    let broken = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n";
    let port = serving(move |mut stream| {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(broken);
    });
    let (status, said) = upstream(port, "");
    assert_eq!(status, "warn", "{said}");
    assert!(said.contains("with 503"), "{said}");
}

#[test]
fn a_server_of_tls_that_says_nothing_in_plain_is_known_by_its_handshake() {
    // Python's TLS closes a connection that does not begin with a handshake.
    let script = "import ssl, socket, sys\n\
                  c = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER); c.load_cert_chain(sys.argv[1])\n\
                  s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True)\n\
                  while True:\n\
                  \x20   try: c.wrap_socket(s.accept()[0], server_side=True)\n\
                  \x20   except Exception: pass\n";
    let pki = crate::lab::Pki::new();
    let mut command = std::process::Command::new("/usr/bin/python3");
    command.args(["-c", script]).arg(pki.path("core.pem"));
    let mut python = crate::lab::Process::start("python3", &mut command);
    let port = python.wait_for(|line| line.parse::<u16>().is_ok(), crate::lab::LIMIT);
    let (status, said) = upstream(port.parse().unwrap(), "");
    assert_eq!(status, "FAIL", "{said}");
    assert!(said.contains("speaks TLS"), "{said}");
}

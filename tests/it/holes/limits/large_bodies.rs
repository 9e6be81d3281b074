//! Strangers send little: large bodies are refused with words, and keep no memory.

use crate::lab::{Doorward, Pki};

/// Sends a body of a megabyte on each of many connections at once; prints the
/// answers' statuses, each once.
const FLOOD: &str = r#"
import socket, ssl, sys
where, how, port = sys.argv[1], sys.argv[2], sys.argv[3]
def connect():
    if how == "unix":
        raw = socket.socket(socket.AF_UNIX); raw.connect(where); return raw
    context = ssl._create_unverified_context()
    raw = socket.create_connection(("127.0.0.1", int(port)))
    return context.wrap_socket(raw)
connections = [connect() for _ in range(100)]
body = b'{"user": "' + b"x" * (1 << 20) + b'"}'
head = b"POST /v1/sessions HTTP/1.1\r\nHost: core\r\nContent-Length: %d\r\n\r\n" % len(body)
for connection in connections:
    connection.sendall(head + body[: len(body) // 2])
print(open("/proc/%s/statm" % sys.argv[4]).read().split()[1], end=" ")
for connection in connections:
    connection.sendall(body[len(body) // 2 :])
statuses = set()
for connection in connections:
    answer = connection.recv(65536)
    statuses.add(answer.split(b" ")[1].decode())
    assert b"too_large" in answer or b"too_large" in connection.recv(65536), answer
print(" ".join(sorted(statuses)))
"#;

#[test]
fn a_large_body_of_a_stranger_is_refused_and_takes_no_memory() {
    let pki = Pki::new();
    let core = Doorward::core(&pki.core(""));
    let pages = || {
        let statm = std::fs::read_to_string(format!("/proc/{}/statm", core.id())).unwrap();
        statm.split(' ').nth(1).unwrap().parse::<u64>().unwrap()
    };
    for how in ["unix", "tls"] {
        let before = pages();
        let done = std::process::Command::new("setpriv")
            .args(["--reuid", "nobody", "--clear-groups", "/usr/bin/python3", "-c", FLOOD])
            .arg(core.core_socket())
            .args([how, &core.core_port().to_string(), &core.id().to_string()])
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success(), "{how}: {}", String::from_utf8_lossy(&done.stderr));
        let (at_most, statuses) = said.trim().split_once(' ').unwrap();
        assert_eq!(statuses, "413", "{how}");
        // A hundred bodies of half a megabyte are fifty megabytes: 12,800 pages.
        let grown = at_most.parse::<u64>().unwrap().saturating_sub(before);
        assert!(grown < 5_000, "{how}: {grown} pages");
        assert!(pages().saturating_sub(before) < 5_000, "{how}: afterwards");
    }
}

//! An account that is taken out of the settings has its rights no longer, on
//! connections that stand either.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::lab::{Doorward, LIMIT, wait_until};

/// Asks who it is on one kept connection for each line of its input, and says how
/// the stream of events on another one ends.
const PROGRAM: &str = r#"
import http.client, socket, sys, threading
class Core(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sys.argv[1])
asking, hearing = Core("core"), Core("core")
hearing.request("GET", "/v1/events")
events = hearing.getresponse()
print("events", events.status, flush=True)
def hear():
    try:
        while events.read1(65536): pass
    except Exception: pass
    print("events ended", flush=True)
threading.Thread(target=hear, daemon=True).start()
for _ in sys.stdin:
    asking.request("GET", "/v1/whoami")
    print(asking.getresponse().read().decode(), flush=True)
"#;

#[test]
fn after_a_reload_a_standing_connection_has_the_rights_of_now() {
    for (settings, before) in
        [("front_users = [\"daemon\"]", "FRONT"), ("local_admin_users = [\"daemon\"]", "SYSTEM")]
    {
        let config = |line: &str| format!("[core]\nlisten = \"unix:{{dir}}/core.sock\"\n{line}\n");
        let core = Doorward::core(&config(settings));
        let mut program = Command::new("setpriv")
            .args(["--reuid", "daemon", "--clear-groups", "/usr/bin/python3", "-c", PROGRAM])
            .arg(core.core_socket())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut ask, said) = (program.stdin.take().unwrap(), program.stdout.take().unwrap());
        let mut said = BufReader::new(said).lines().map(Result::unwrap);
        assert_eq!(said.next().as_deref(), Some("events 200"));
        let mut whoami = || {
            writeln!(ask, "?").unwrap();
            said.next().unwrap()
        };
        assert!(whoami().contains(before));
        core.reload(&config(""));
        core.wait_log("the reload", |line| line.to_string().contains("\"reloaded\""));
        let now = whoami();
        assert!(!now.contains(before), "{now}");
        // The stream ends within a second or two.
        let ended = if now.contains("events ended") {
            now
        } else {
            wait_until(LIMIT, "the end of the events", || said.next())
        };
        assert_eq!(ended, "events ended");
        program.kill().unwrap();
        program.wait().unwrap();
    }
}

//! `doorward admin` against a running core, over its socket and by TLS.

use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::lab::{Doorward, Pki, curl, realm};

struct Core {
    doorward: Doorward,
    pki: Pki,
}

const ENTRIES: &str = "keys_without_entry = \"system\"\n[[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"alice\", \"bob\"]\n\
    [[core.key]]\nfile = \"past-public.pem\"\nact_as = [\"*\"]\nnot_after = 2020-01-01T00:00:00Z\n\
    [[core.key]]\nfile = \"gone-public.pem\"\nrole = \"front\"\n\
    [[core.realm]]\nrealm = \"LAB.EXAMPLE\"\n";

impl Core {
    fn start() -> Core {
        let pki = Pki::new();
        for name in ["root", "webapp", "past", "gone"] {
            pki.client(name);
        }
        let doorward = Doorward::core(&pki.core(ENTRIES));
        pki.unlist("gone");
        Core { doorward, pki }
    }

    /// `doorward admin …`, over the socket, as root or through other commands.
    fn run_as(&self, prefix: &[&str], arguments: &str) -> Output {
        let program = [env!("CARGO_BIN_EXE_doorward")];
        let words: Vec<&str> = prefix.iter().chain(&program).copied().collect();
        let mut command = Command::new(words[0]);
        command.args(&words[1..]).arg("admin").args(arguments.split(' '));
        if !["--core", "--socket", "--config"].iter().any(|place| arguments.contains(place)) {
            command.arg("--socket").arg(self.doorward.core_socket());
        }
        command.output().unwrap()
    }

    /// What it printed, where it must succeed.
    #[track_caller]
    fn admin(&self, arguments: &str) -> String {
        let done = self.run_as(&[], arguments);
        assert!(done.status.success(), "{arguments}: {done:?}");
        String::from_utf8(done.stdout).unwrap()
    }

    #[track_caller]
    fn json(&self, arguments: &str) -> Value {
        serde_json::from_str(&self.admin(&format!("{arguments} --json"))).unwrap()
    }

    /// What it said, where it must fail with this code.
    #[track_caller]
    fn refused(&self, code: i32, arguments: &str) -> String {
        self.refused_as(&[], code, arguments)
    }

    #[track_caller]
    fn refused_as(&self, prefix: &[&str], code: i32, arguments: &str) -> String {
        let done = self.run_as(prefix, arguments);
        assert_eq!(done.status.code(), Some(code), "{arguments}: {done:?}");
        assert_eq!(String::from_utf8_lossy(&done.stdout), "");
        String::from_utf8(done.stderr).unwrap()
    }

    /// The arguments of somebody on another host.
    fn remote(&self, name: &str) -> String {
        let url = format!("https://{}:{}", realm().host("web"), self.doorward.core_port());
        let (key, ca) = (self.pki.text(&format!("{name}.pem")), self.pki.text("ca.crt"));
        format!("--core {url} --sslkey-file {key} --ca {ca}")
    }

    /// Opens a session over the socket; the secret.
    fn open(&self, user: &str) -> String {
        let socket = self.doorward.core_socket();
        let wish = json!({"user": user, "trusted": true, "client": "192.0.2.7"}).to_string();
        let url = "http://core/v1/sessions";
        let opened = curl(None, &["--unix-socket", socket.to_str().unwrap(), "--data", &wish, url]);
        opened.json()["session"].as_str().unwrap().to_owned()
    }

    fn users(&self) -> Vec<String> {
        let list = self.json("session list");
        let sessions = list["sessions"].as_array().unwrap().iter();
        sessions.map(|session| session["user"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn sessions_are_listed_shown_and_ended() {
    let core = Core::start();
    assert_eq!(core.admin("session list"), "There are no live sessions.\n");
    for user in ["alice@LAB.EXAMPLE", "bob", "alice", "carol"] {
        core.open(user);
    }
    // Those of one second come in the order of their keys.
    let mut users = core.users();
    users.sort();
    assert_eq!(users, ["alice", "alice", "bob", "carol"]);
    let list = core.admin("session list");
    let heading = ["ID", "USER", "BY", "OPENED BY", "CLIENT", "CREATED", "ENDS"].join("|");
    let first: Vec<_> = list.lines().next().unwrap().split("  ").map(str::trim).collect();
    let first: Vec<_> = first.into_iter().filter(|word| !word.is_empty()).collect();
    assert_eq!(first.join("|"), heading, "{list}");
    assert!(list.contains("uid 0") && list.contains("192.0.2.7"), "{list}");

    // By the digits that the audit log has.
    let line = core.doorward.wait_audit("carol", |line| line["login"] == "carol");
    let id = line["session"].as_str().unwrap();
    assert!(core.admin(&format!("session show {id}")).contains("user       carol\n"));
    let shown = core.json(&format!("session show {id}"));
    assert_eq!(shown["id"].as_str().unwrap()[..8], *id);
    assert_eq!((&shown["opened_by"], &shown["last_used_at"]), (&json!("uid 0"), &Value::Null));
    assert_eq!(core.admin(&format!("session end {id}")), "1 session has ended.\n");
    core.doorward.wait_audit("the end", |line| {
        line["event"] == "session_end" && line["detail"] == "ended by an administrator"
    });
    assert!(core.refused(1, &format!("session show {id}")).contains("no live session"));

    let of = |user: &str| core.json(&format!("session list --user {user}"))["sessions"].clone();
    assert_eq!(of("ALICE@lab.example").as_array().unwrap().len(), 2);
    assert_eq!(of("mary"), json!([]));
    let ended = core.json("session end --user alice");
    assert_eq!(ended["ended"].as_array().unwrap().len(), 2);
    assert_eq!(core.users(), ["bob"]);
    assert_eq!(core.admin("session end --all"), "1 session has ended.\n");
    assert_eq!(core.admin("session end --all"), "0 sessions have ended.\n");
}

#[test]
fn a_long_list_comes_in_pages_and_ends_whole() {
    let core = Core::start();
    (0..5).for_each(|_| drop(core.open("alice")));
    let page = core.json("session list --limit 2");
    let next = page["next"].as_str().unwrap();
    assert!(core.admin("session list --limit 2").contains(&format!("--after {next}")));
    let rest = core.json(&format!("session list --after {next}"));
    assert_eq!((rest["sessions"].as_array().unwrap().len(), &rest["next"]), (3, &Value::Null));
    assert_eq!(core.admin("session end --all"), "5 sessions have ended.\n");
    let keys = core.json("key list --limit 1");
    assert_eq!(keys["next"], "gone-public.pem");
    assert_eq!(core.json("key list --after past-public.pem")["keys"][0]["file"], "root-public.pem");
}

#[test]
fn keys_are_listed_with_what_their_entries_say() {
    let core = Core::start();
    std::fs::write(core.pki.path("sslkeys/README"), "Keys").unwrap();
    let keys = core.json("key list")["keys"].clone();
    let states = keys.as_array().unwrap().iter().map(|key| {
        [&key["file"], &key["state"], &key["role"]].map(|word| word.as_str().unwrap().to_owned())
    });
    let expected = [
        ["README", "skipped", "nothing"],
        ["gone-public.pem", "missing", "front"],
        ["past-public.pem", "expired", "service"],
        ["root-public.pem", "listed", "system"],
        ["webapp-public.pem", "listed", "service"],
    ];
    assert_eq!(states.collect::<Vec<_>>(), expected);
    let shown = Command::new(env!("CARGO_BIN_EXE_doorward"))
        .args(["cert", "show", &core.pki.text("root.pem")])
        .output()
        .unwrap();
    let shown = String::from_utf8(shown.stdout).unwrap();
    assert!(shown.contains(keys[3]["fingerprint"].as_str().unwrap()), "{shown}\n{keys}");
    let table = core.admin("key list");
    for words in ["alice, bob", "ECDSA P-256", "README: it contains no public key", "not_after of"]
    {
        assert!(table.contains(words), "{words}: {table}");
    }
}

#[test]
fn everybody_is_told_for_whom_the_core_takes_them() {
    let core = Core::start();
    assert!(core.admin("peer").contains("peer     uid 0\nacts as  SYSTEM"));
    assert_eq!(core.json("peer"), json!({"peer": "unix", "uid": 0, "key": null, "as": "SYSTEM"}));
    let remote = |name| core.json(&format!("peer {}", core.remote(name)));
    assert_eq!(remote("root")["key"], "root-public.pem");
    assert_eq!(remote("webapp")["as"], "alice, bob");
    let url = format!("https://{}:{}", realm().host("web"), core.doorward.core_port());
    let nobody = core.admin(&format!("peer --core {url} --ca {}", core.pki.text("ca.crt")));
    assert!(nobody.contains("nobody: no certificate was shown (--sslkey-file)"), "{nobody}");
}

#[test]
fn an_administrator_on_another_host_sees_and_ends_sessions_by_a_key() {
    let core = Core::start();
    core.open("alice");
    let remote = core.remote("root");
    let list = core.json(&format!("session list {remote}"));
    let id = list["sessions"][0]["id"].as_str().unwrap();
    core.admin(&format!("session end {id} {remote}"));
    assert_eq!(core.users(), [""; 0]);
    core.doorward.wait_audit("who ended it", |line| {
        line["event"] == "session_end" && line["key"] == "root-public.pem"
    });
}

#[test]
fn what_fails_says_what_to_do() {
    let core = Core::start();
    let nobody: &[&str] = &["setpriv", "--reuid", "nobody", "--clear-groups"];
    let program = crate::lab::temp_dir("admin-");
    let copy = program.path().join("doorward");
    std::fs::copy(env!("CARGO_BIN_EXE_doorward"), &copy).unwrap();
    let as_nobody = |arguments: &[&str]| {
        let mut command = Command::new(nobody[0]);
        command.args(&nobody[1..]).arg(&copy).arg("admin").args(arguments);
        let done = command.output().unwrap();
        assert_eq!(done.status.code(), Some(1), "{done:?}");
        String::from_utf8(done.stderr).unwrap()
    };
    let socket = core.doorward.core_socket();
    let said = as_nobody(&["session", "list", "--socket", socket.to_str().unwrap()]);
    assert!(said.contains("local_admin_users") && said.contains("doorward admin peer"), "{said}");
    let closed = program.path().join("closed");
    std::fs::create_dir(&closed).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o700);
    std::fs::set_permissions(&closed, mode).unwrap();
    let said = as_nobody(&["peer", "--socket", closed.join("core.sock").to_str().unwrap()]);
    assert!(said.contains("uid 65534 may not open"), "{said}");

    let left = program.path().join("left.sock");
    drop(std::os::unix::net::UnixListener::bind(&left).unwrap());
    let (url, _) = core
        .remote("root")
        .split_once(" --sslkey")
        .map(|(url, rest)| (url.to_owned(), rest.to_owned()))
        .unwrap();
    core.pki.authority("other");
    let key = |name: &str| core.pki.text(name);
    for (code, arguments, words) in [
        (1, "peer --socket /nonexistent/core.sock".to_owned(), "is the core running"),
        (1, format!("peer --socket {}", left.display()), "start it again"),
        (1, format!("peer {url} --ca {}", key("other.crt")), "with --ca FILE"),
        (1, format!("peer {url} --ca /nonexistent.pem"), "/nonexistent.pem"),
        (
            1,
            format!("session list {}", core.remote("webapp")),
            "only allows trusted sessions for alice, bob",
        ),
        (1, format!("peer {}", core.remote("other")), "authorities"),
        (1, format!("peer {}", core.remote("past")), "not_after"),
        (1, "session end 00000000".to_owned(), "no live session"),
        (2, "session end 0000".to_owned(), "8 to 64 hex digits"),
        (2, "session end".to_owned(), "required"),
        (2, "session end 00000000 --all".to_owned(), "cannot be used with"),
        (2, "peer --socket /a --core https://b".to_owned(), "give one of them"),
        (2, "peer --core http://b".to_owned(), "--core is not"),
        (78, "peer --config /nonexistent.toml".to_owned(), "/nonexistent.toml"),
    ] {
        let said = core.refused(code, &arguments);
        assert!(said.contains(words), "{arguments}: {said}");
    }
}

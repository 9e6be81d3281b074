//! The table of docs/architecture.md: every peer, every call, over the real transports.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::lab::{Doorward, Pki, realm, temp_dir};

/// A peer: how it comes, and what it is answered.
struct Peer {
    name: &'static str,
    by: By,
    whoami: Value,
    proof: u16,
    trusted: u16,
    own: u16,
    sign_ons: u16,
    resolve: u16,
    events: u16,
    lists: u16,
}

enum By {
    /// A process under another uid, by way of these commands.
    Unix(&'static [&'static str]),
    /// TLS with this key and certificate.
    Tls(Option<&'static str>),
}

fn unix(uid: u32, acting_as: Option<&str>) -> Value {
    json!({"peer": "unix", "uid": uid, "key": null, "as": acting_as})
}

fn key(name: &str, acting_as: &str) -> Value {
    json!({"peer": "certificate", "uid": null, "key": format!("{name}-public.pem"), "as": acting_as})
}

fn peers() -> Vec<Peer> {
    let everything = |name, by, whoami| Peer {
        name,
        by,
        whoami,
        proof: 201,
        trusted: 201,
        own: 201,
        sign_ons: 200,
        resolve: 200,
        events: 200,
        lists: 200,
    };
    let front = |name, by, whoami| Peer {
        name,
        by,
        whoami,
        proof: 201,
        trusted: 403,
        own: 403,
        sign_ons: 200,
        resolve: 200,
        events: 200,
        lists: 403,
    };
    let service = |name, by, whoami, trusted| Peer {
        name,
        by,
        whoami,
        proof: 403,
        trusted,
        own: 403,
        sign_ons: 403,
        resolve: 200,
        events: 403,
        lists: 403,
    };
    let local = |name, by, whoami, own| Peer {
        name,
        by,
        whoami,
        proof: 403,
        trusted: 403,
        own,
        sign_ons: 403,
        resolve: 200,
        events: 403,
        lists: 403,
    };
    vec![
        everything("the core's own uid", By::Unix(&[]), unix(0, Some("SYSTEM"))),
        everything(
            "local_admin_users",
            By::Unix(&["setpriv", "--reuid", "bin", "--clear-groups"]),
            unix(2, Some("SYSTEM")),
        ),
        everything(
            "a group of local_admin_users",
            By::Unix(&["setpriv", "--reuid", "mail", "--clear-groups"]),
            unix(8, Some("SYSTEM")),
        ),
        front(
            "front_users",
            By::Unix(&["setpriv", "--reuid", "daemon", "--clear-groups"]),
            unix(1, Some("FRONT")),
        ),
        // The session is for `nobody`.
        local(
            "another account",
            By::Unix(&["setpriv", "--reuid", "nobody", "--clear-groups"]),
            unix(65534, Some("nobody")),
            201,
        ),
        local(
            "a uid without account",
            By::Unix(&["setpriv", "--reuid", "4242", "--clear-groups"]),
            unix(4242, None),
            403,
        ),
        // Its root is root to itself alone.
        local(
            "root of a user namespace",
            By::Unix(&[
                "setpriv",
                "--reuid",
                "games",
                "--clear-groups",
                "unshare",
                "--user",
                "--map-root-user",
            ]),
            unix(5, Some("games")),
            401,
        ),
        everything("a key without entry", By::Tls(Some("free")), key("free", "SYSTEM")),
        everything("a key that acts as SYSTEM", By::Tls(Some("system")), key("system", "SYSTEM")),
        front("a key of role front", By::Tls(Some("gate")), key("gate", "FRONT")),
        service("a key that acts as anybody", By::Tls(Some("webapp")), key("webapp", "*"), 201),
        service(
            "a key that acts as this user",
            By::Tls(Some("narrow")),
            key("narrow", "nobody"),
            201,
        ),
        service("a key that acts as another", By::Tls(Some("other")), key("other", "mary"), 401),
        Peer {
            name: "nobody",
            by: By::Tls(None),
            whoami: json!({"peer": "anonymous", "uid": null, "key": null, "as": null}),
            proof: 403,
            trusted: 403,
            own: 403,
            sign_ons: 403,
            resolve: 403,
            events: 403,
            lists: 403,
        },
    ]
}

const ENTRIES: &str = r#"
keys_without_entry = "system"
local_admin_users = ["bin", "@mail"]
front_users = ["daemon"]
[[core.key]]
file = "system-public.pem"
act_as = ["SYSTEM"]
[[core.key]]
file = "gate-public.pem"
role = "front"
[[core.key]]
file = "webapp-public.pem"
act_as = ["*"]
[[core.key]]
file = "narrow-public.pem"
act_as = ["nobody"]
[[core.key]]
file = "other-public.pem"
act_as = ["mary"]
[[core.realm]]
realm = "LAB.EXAMPLE"
"#;

struct Core {
    doorward: Doorward,
    pki: Pki,
}

impl Core {
    /// Asks as a peer; the status, and the body where it is JSON. An answer without end
    /// is left after a second.
    #[track_caller]
    fn ask(&self, by: &By, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let dir = temp_dir("peer-");
        let out = dir.path().join("body");
        std::fs::write(&out, "").unwrap();
        open_to_all(dir.path(), 0o777);
        open_to_all(&out, 0o666);
        let limit = if path == "/v1/events" { "1" } else { "30" };
        let mut words: Vec<String> = Vec::new();
        if let By::Unix(prefix) = by {
            words.extend(prefix.iter().map(ToString::to_string));
        }
        words.extend(["curl", "--silent", "--max-time", limit, "-X", method].map(str::to_owned));
        words.extend(
            ["--output", out.to_str().unwrap(), "--write-out", "%{http_code}"].map(str::to_owned),
        );
        if let Some(body) = body {
            words.extend(["-H", "Content-Type: application/json", "--data"].map(str::to_owned));
            words.push(body.to_string());
        }
        match by {
            By::Unix(_) => {
                words.push("--unix-socket".to_owned());
                words.push(self.doorward.core_socket().to_str().unwrap().to_owned());
                words.push(format!("http://core{path}"));
            }
            By::Tls(name) => {
                words.extend(["--cacert".to_owned(), self.pki.text("ca.crt")]);
                if let Some(name) = name {
                    words.extend(["--cert".to_owned(), self.pki.text(&format!("{name}.pem"))]);
                }
                words.push(format!(
                    "https://{}:{}{path}",
                    realm().host("web"),
                    self.doorward.core_port()
                ));
            }
        }
        let done = Command::new(&words[0]).args(&words[1..]).output().unwrap();
        let status = String::from_utf8_lossy(&done.stdout).trim().parse().unwrap();
        let said = std::fs::read(&out).unwrap();
        (status, serde_json::from_slice(&said).unwrap_or(Value::Null))
    }
}

fn open_to_all(path: &Path, mode: u32) {
    let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
    std::fs::set_permissions(path, mode).unwrap();
}

fn core() -> Core {
    let pki = Pki::new();
    for name in ["free", "system", "gate", "webapp", "narrow", "other"] {
        pki.client(name);
    }
    Core { doorward: Doorward::core(&pki.core(ENTRIES)), pki }
}

#[test]
fn every_peer_may_ask_what_the_table_says() {
    let core = core();
    let proof = json!({"proof": {"mechanism": "negotiate", "principal": "alice@LAB.EXAMPLE",
        "acceptor_realm": "LAB.EXAMPLE", "channel_bound": false, "ends_at": null}});
    let (trusted, own) = (json!({"user": "nobody", "trusted": true}), json!({"user": "nobody"}));
    let proofs = json!({"proofs": [proof]});
    for peer in peers() {
        let ask = |method, path: &str, body| core.ask(&peer.by, method, path, body);
        let name = peer.name;
        assert_eq!(ask("GET", "/v1/whoami", None), (200, peer.whoami), "{name}");
        for (body, status) in [(&proof, peer.proof), (&trusted, peer.trusted), (&own, peer.own)] {
            let (answered, said) = ask("POST", "/v1/sessions", Some(body));
            assert_eq!(answered, status, "{name}: {body}: {said}");
            if status == 403 {
                assert_eq!(said["error"], "no_access", "{name}: {said}");
            }
        }
        assert_eq!(ask("POST", "/v1/sign-ons", Some(&proofs)).0, peer.sign_ons, "{name}");
        let (_, opened) = core.ask(&By::Unix(&[]), "POST", "/v1/sessions", Some(&trusted));
        let path = format!("/v1/sessions/{}", opened["session"].as_str().unwrap());
        assert_eq!(ask("GET", &path, None).0, peer.resolve, "{name}");
        let ended = if peer.resolve == 200 { 204 } else { 403 };
        assert_eq!(ask("DELETE", &path, None).0, ended, "{name}");
        assert_eq!(ask("GET", "/v1/events", None).0, peer.events, "{name}");
        let (_, listed) = core.ask(&By::Unix(&[]), "GET", "/v1/sessions?limit=1", None);
        let path = format!("/v1/sessions/{}", listed["sessions"][0]["id"].as_str().unwrap());
        for list in ["/v1/sessions", "/v1/keys", &path] {
            assert_eq!(ask("GET", list, None).0, peer.lists, "{name} {list}");
        }
        let ended = if peer.lists == 200 { 204 } else { 403 };
        assert_eq!(ask("DELETE", &path, None).0, ended, "{name}");
    }
}

#[test]
fn a_peer_that_is_refused_is_told_what_it_is_and_what_would_change_that() {
    let core = core();
    let said = |by: &By, body: Value| {
        let (status, said) = core.ask(by, "POST", "/v1/sessions", Some(&body));
        assert_eq!(status, 403, "{said}");
        said["message"].as_str().unwrap().to_owned()
    };
    let trusted = json!({"user": "alice", "trusted": true});
    for (by, body, words) in [
        (
            By::Unix(&["setpriv", "--reuid", "nobody", "--clear-groups"]),
            &trusted,
            "local_admin_users",
        ),
        (
            By::Unix(&["setpriv", "--reuid", "4242", "--clear-groups"]),
            &json!({"user": "x"}),
            "it has no account",
        ),
        (
            By::Unix(&["setpriv", "--reuid", "daemon", "--clear-groups"]),
            &trusted,
            "it is a front here",
        ),
        (
            By::Tls(Some("narrow")),
            &json!({"user": "x"}),
            "by its [[core.key]] it opens trusted sessions for nobody",
        ),
        (By::Tls(None), &trusted, "Show one whose public key stands in"),
    ] {
        let message = said(&by, body.clone());
        assert!(message.contains(words), "{message}");
    }
}

//! The table of docs/architecture.md: every peer, every call, over the real transports.

use nix::unistd::User;
use serde_json::{Value, json};

use super::By::{self, Account, Key, Namespace, Nobody, Root};
use super::Core;
use crate::lab::{Doorward, Pki};

/// What somebody is called, how they come, as whom they act, and the status that each of
/// their requests gets. The sessions of `trusted` and `own` are for the account `nobody`.
struct Peer(&'static str, By, Option<&'static str>, Statuses);

/// Proof, trusted, own, several sign-ons, resolve, events, lists.
type Statuses = [u16; 7];

#[rustfmt::skip]
const PEERS: [Peer; 14] = [
    //                                                                        pro  tru  own  sig  res  eve  lis
    Peer("the core's own uid",           Root,               Some("SYSTEM"), [201, 201, 201, 200, 200, 200, 200]),
    Peer("local_admin_users",            Account("bin"),     Some("SYSTEM"), [201, 201, 201, 200, 200, 200, 200]),
    Peer("a group of local_admin_users", Account("mail"),    Some("SYSTEM"), [201, 201, 201, 200, 200, 200, 200]),
    Peer("front_users",                  Account("daemon"),  Some("FRONT"),  [201, 403, 403, 200, 200, 200, 403]),
    Peer("the account of the session",   Account("nobody"),  Some("nobody"), [403, 403, 201, 403, 200, 403, 403]),
    Peer("a uid without account",        Account("4242"),    None,           [403, 403, 403, 403, 200, 403, 403]),
    Peer("root of a user namespace",     Namespace("games"), Some("games"),  [403, 403, 401, 403, 200, 403, 403]),
    Peer("a key without entry",          Key("free"),        Some("SYSTEM"), [201, 201, 201, 200, 200, 200, 200]),
    Peer("a key that acts as SYSTEM",    Key("system"),      Some("SYSTEM"), [201, 201, 201, 200, 200, 200, 200]),
    Peer("a key of role front",          Key("gate"),        Some("FRONT"),  [201, 403, 403, 200, 200, 200, 403]),
    Peer("a key that acts as anybody",   Key("webapp"),      Some("*"),      [403, 201, 403, 403, 200, 403, 403]),
    Peer("a key that acts as this user", Key("narrow"),      Some("nobody"), [403, 201, 403, 403, 200, 403, 403]),
    Peer("a key that acts as another",   Key("other"),       Some("mary"),   [403, 401, 403, 403, 200, 403, 403]),
    Peer("nobody",                       Nobody,             None,           [403, 403, 403, 403, 403, 403, 403]),
];

/// What `GET /v1/whoami` answers.
fn whoami(by: By, acting_as: Option<&str>) -> Value {
    let (peer, uid, key) = match by {
        Root => ("unix", Some(0), None),
        Account(account) | Namespace(account) => ("unix", Some(uid_of(account)), None),
        Key(name) => ("certificate", None, Some(format!("{name}-public.pem"))),
        Nobody => ("anonymous", None, None),
    };
    json!({"peer": peer, "uid": uid, "key": key, "as": acting_as})
}

fn uid_of(account: &str) -> u32 {
    let named = || User::from_name(account).unwrap().unwrap().uid.as_raw();
    account.parse().unwrap_or_else(|_| named())
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
    for Peer(name, by, acting_as, statuses) in PEERS {
        let [by_proof, by_trust, by_own, sign_ons, resolve, events, lists] = statuses;
        let ask = |method, path: &str, body| core.ask(by, method, path, body);
        let said = ask("GET", "/v1/whoami", None);
        assert_eq!((said.status, said.json()), (200, whoami(by, acting_as)), "{name}");
        for (body, status) in [(&proof, by_proof), (&trusted, by_trust), (&own, by_own)] {
            let answer = ask("POST", "/v1/sessions", Some(body));
            assert_eq!(answer.status, status, "{name}: {body}: {}", answer.body);
            if status == 403 {
                assert_eq!(answer.json()["error"], "no_access", "{name}: {}", answer.body);
            }
        }
        assert_eq!(ask("POST", "/v1/sign-ons", Some(&proofs)).status, sign_ons, "{name}");
        let opened = core.ask(Root, "POST", "/v1/sessions", Some(&trusted)).json();
        let path = format!("/v1/sessions/{}", opened["session"].as_str().unwrap());
        assert_eq!(ask("GET", &path, None).status, resolve, "{name}");
        let ended = if resolve == 200 { 204 } else { 403 };
        assert_eq!(ask("DELETE", &path, None).status, ended, "{name}");
        assert_eq!(ask("GET", "/v1/events", None).status, events, "{name}");
        let listed = core.ask(Root, "GET", "/v1/sessions?limit=1", None).json();
        let path = format!("/v1/sessions/{}", listed["sessions"][0]["id"].as_str().unwrap());
        for list in ["/v1/sessions", "/v1/keys", &path] {
            assert_eq!(ask("GET", list, None).status, lists, "{name} {list}");
        }
        let ended = if lists == 200 { 204 } else { 403 };
        assert_eq!(ask("DELETE", &path, None).status, ended, "{name}");
    }
}

#[test]
fn a_peer_that_is_refused_is_told_what_it_is_and_what_would_change_that() {
    let core = core();
    let trusted = json!({"user": "alice", "trusted": true});
    let own = json!({"user": "x"});
    for (by, body, words) in [
        (Account("nobody"), &trusted, "local_admin_users"),
        (Account("4242"), &own, "it has no account"),
        (Account("daemon"), &trusted, "it is a front"),
        (Key("narrow"), &own, "its [[core.key]] only allows trusted sessions for nobody"),
        (Nobody, &trusted, "Use one whose public key is in"),
    ] {
        let answer = core.ask(by, "POST", "/v1/sessions", Some(body));
        assert_eq!(answer.status, 403, "{}", answer.body);
        let said = answer.json();
        assert!(said["message"].as_str().unwrap().contains(words), "{said}");
    }
}

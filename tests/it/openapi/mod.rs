//! docs/openapi.yaml and the core hold each other to their word: every path, every
//! status, every example.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use self::schema::Document;
use crate::core::{By, Core};
use crate::lab::{Doorward, Pki, realm};

mod schema;

/// One question, and the status that it is answered with.
struct Question {
    operation: &'static str,
    status: u16,
    by: By,
    /// In the path's place; empty: as documented.
    path: String,
    body: Body,
}

/// What is sent.
enum Body {
    Nothing,
    /// A request example of the document.
    Example(&'static str),
    Odd(Value),
}

const ENTRIES: &str = r#"
password_attempts_per_account = 1
[[core.key]]
file = "gate-public.pem"
role = "front"
[[core.key]]
file = "webapp-public.pem"
act_as = ["alice"]
from = ["127.0.0.0/8"]
not_after = 2100-01-01T00:00:00Z
[[core.realm]]
realm = "LAB.EXAMPLE"
"#;

fn core() -> Core {
    let pki = Pki::new();
    for name in ["gate", "webapp", "unlisted"] {
        pki.client(name);
    }
    pki.unlist("unlisted");
    std::fs::write(pki.path("sslkeys/README"), "Keys").unwrap();
    let keytab = realm().web_keytab.display();
    let more = format!("{ENTRIES}[sso.kerberos]\nkeytab = \"{keytab}\"\n");
    Core { doorward: Doorward::core(&pki.core(&more)), pki }
}

/// The path of a new session, by its secret.
fn opened(core: &Core) -> String {
    let wish = json!({"user": "alice", "trusted": true});
    let opened = core.ask(By::Root, "POST", "/v1/sessions", Some(&wish)).json();
    named(opened["session"].as_str().unwrap())
}

/// The path of a session, by its id in the list.
fn listed(core: &Core) -> String {
    let listed = core.ask(By::Root, "GET", "/v1/sessions", None).json();
    named(listed["sessions"][0]["id"].as_str().unwrap())
}

fn named(id: &str) -> String {
    format!("/v1/sessions/{id}")
}

fn questions(core: &Core) -> Vec<Question> {
    let q = |operation, status, by, path: &str, body| Question {
        operation,
        status,
        by,
        path: path.to_owned(),
        body,
    };
    use Body::{Example, Nothing, Odd};
    use By::{Account, Key, Nobody, Root};
    let gone = named(&"A".repeat(43));
    vec![
        q("whoami", 200, Root, "", Nothing),
        q("whoami", 200, Key("webapp"), "", Nothing),
        q("whoami", 200, Nobody, "", Nothing),
        q("openSession", 201, Key("webapp"), "", Example("trusted")),
        q("openSession", 201, Account("nobody"), "", Example("own")),
        q("openSession", 201, Root, "", Example("actAs")),
        q("openSession", 201, Key("gate"), "", Example("proof")),
        q("openSession", 400, Root, "", Odd(json!({"usr": "alice"}))),
        q("openSession", 401, Key("webapp"), "", Odd(json!({"user": "bob", "trusted": true}))),
        q("openSession", 403, Account("nobody"), "", Example("trusted")),
        q("openSession", 403, Key("unlisted"), "", Example("trusted")),
        q("openSession", 401, Nobody, "", Example("password")),
        q("openSession", 429, Nobody, "", Example("password")),
        q("openSession", 413, Nobody, "", Odd(json!({"user": "x".repeat(17_000)}))),
        q("openSession", 413, Account("nobody"), "", Odd(json!({"user": "x".repeat(17_000)}))),
        q("attempts", 200, Key("gate"), "", Example("two")),
        q("attempts", 400, Key("gate"), "", Odd(json!({"begin": 7}))),
        q("attempts", 403, Key("webapp"), "", Example("two")),
        q("openSessions", 200, Key("gate"), "", Example("two")),
        q("openSessions", 400, Key("gate"), "", Odd(json!([]))),
        q("openSessions", 403, Key("webapp"), "", Example("two")),
        q("resolveSession", 200, Key("webapp"), &opened(core), Nothing),
        q("listSessions", 200, Root, "", Nothing),
        q(
            "listSessions",
            200,
            Root,
            "/v1/sessions?limit=1&after=0.e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855&user=alice",
            Nothing,
        ),
        q("listSessions", 200, Root, "/v1/sessions?id=00000000", Nothing),
        q("listSessions", 400, Root, "/v1/sessions?limit=0", Nothing),
        q("listSessions", 400, Root, "/v1/sessions?usr=alice", Nothing),
        q("listSessions", 403, Key("gate"), "", Nothing),
        q("resolveSession", 200, Root, &listed(core), Nothing),
        q("resolveSession", 200, Root, &(opened(core) + "?client=192.0.2.7"), Nothing),
        q("resolveSession", 400, Root, &(opened(core) + "?from=192.0.2.7"), Nothing),
        q("resolveSession", 403, Nobody, &opened(core), Nothing),
        q("resolveSession", 403, Account("nobody"), &listed(core), Nothing),
        q("resolveSession", 404, Root, &gone, Nothing),
        q("endSession", 403, Account("nobody"), &listed(core), Nothing),
        q("endSession", 204, Root, &listed(core), Nothing),
        q("endSession", 204, Account("nobody"), &opened(core), Nothing),
        q("endSession", 404, Root, &gone, Nothing),
        q("events", 200, Key("gate"), "", Nothing),
        q("events", 403, Account("nobody"), "", Nothing),
        q("listKeys", 200, Root, "", Nothing),
        q("listKeys", 200, Root, "/v1/keys?limit=1&after=gate-public.pem", Nothing),
        q("listKeys", 400, Root, "/v1/keys?user=alice", Nothing),
        q("listKeys", 403, Key("gate"), "", Nothing),
    ]
}

#[test]
fn what_the_core_answers_is_what_the_document_says() {
    let document = Document::read();
    let core = core();
    let mut met: BTreeMap<(String, u16), BTreeSet<String>> = BTreeMap::new();
    let mut parameters = BTreeSet::new();
    for question in questions(&core) {
        let Question { operation, status, by, path, body } = question;
        let (method, documented) = document.operation(operation);
        let path = if path.is_empty() { documented } else { path };
        let sent = match body {
            Body::Nothing => None,
            Body::Example(name) => Some(document.request_example(operation, name)),
            Body::Odd(value) => Some(value),
        };
        let answer = core.ask(by, &method, &path, sent.as_ref());
        let asked = format!("{method} {path}");
        assert_eq!(answer.status, status, "{asked}: {}", answer.body);
        let values = match answer.kind.as_str() {
            "text/event-stream" => events(&answer.body),
            "" => Vec::new(),
            _ => vec![serde_json::from_str(&answer.body).unwrap()],
        };
        document.check_answer(operation, status, &answer.kind, &values);
        let shapes = met.entry((operation.to_owned(), status)).or_default();
        values.iter().for_each(|value| shape(value, "", shapes));
        if (200..300).contains(&status) {
            let query = path.split_once('?').map_or("", |(_, query)| query);
            let names = query.split('&').filter_map(|pair| pair.split_once('='));
            parameters.extend(names.map(|(name, _)| (operation.to_owned(), name.to_owned())));
        }
    }
    // A full disk and an overload are tested where they can be made: full_disk.rs.
    let told = document.answers().into_iter().filter(|(_, status)| *status != 503);
    assert_eq!(told.collect::<BTreeSet<_>>(), met.keys().cloned().collect());
    assert_eq!(document.query_parameters(), parameters);
    for (operation, status, example) in document.answer_examples() {
        let Some(shapes) = met.get(&(operation.clone(), status)) else { continue };
        let mut shown = BTreeSet::new();
        shape(&example, "", &mut shown);
        // Of reasons and of what has ended not every answer tells.
        let rare = |member: &&String| !matches!(member.as_str(), ".reason" | ".id");
        let unmet: Vec<_> = shown.difference(shapes).filter(rare).collect();
        assert!(unmet.is_empty(), "{operation} {status}: no answer has {unmet:?}");
    }
}

#[test]
fn every_route_is_in_the_document_and_every_path_of_it_is_a_route() {
    let sources = crate::architecture::sources();
    let core = sources.iter().filter(|(path, _)| path.starts_with("core_server/"));
    let lines = core.flat_map(|(_, text)| text.lines());
    let routes = lines.filter_map(|line| line.trim().strip_prefix(".route(\""));
    let mut coded = BTreeSet::new();
    for route in routes {
        let (path, handlers) = route.split_once('"').unwrap();
        for method in ["get", "post", "put", "patch", "delete"] {
            if handlers.contains(&format!("{method}(")) {
                coded.insert((method.to_uppercase(), path.to_owned()));
            }
        }
    }
    assert!(!coded.is_empty(), "the routes were not found");
    assert_eq!(Document::read().operations(), coded);
}

#[test]
fn every_example_is_as_its_schema_says_and_every_error_has_its_word() {
    let document = Document::read();
    assert!(document.check_examples() > 20, "the examples were not found");
    let sources = crate::architecture::sources();
    let table = sources.values().find_map(|text| text.split_once("\nerrors! {\n"));
    let (table, _) = table.expect("the table of errors").1.split_once("\n}\n").unwrap();
    let rows = table.lines().filter(|line| !line.trim_start().starts_with("//"));
    let coded: BTreeSet<_> = rows.map(|row| row.split('"').nth(1).unwrap().to_owned()).collect();
    assert_eq!(document.error_words(), coded);
}

/// The data of server-sent events.
fn events(stream: &str) -> Vec<Value> {
    let data = stream.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// All members of a value, as paths.
fn shape(value: &Value, at: &str, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let path = format!("{at}.{name}");
                shape(member, &path, into);
                into.insert(path);
            }
        }
        Value::Array(entries) => entries.iter().for_each(|entry| shape(entry, at, into)),
        _ => {}
    }
}

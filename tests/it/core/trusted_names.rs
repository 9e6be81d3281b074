//! The table of principals, through the API: each name that a trusted peer can give,
//! posted to a core over its socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::lab::{Doorward, temp_dir};

const TABLE: &str = include_str!("../../cases/principals.case");

/// Posts a trusted name; the status and what was said.
fn open(core: &Doorward, user: &str) -> (u16, Value) {
    let body = json!({"user": user, "trusted": true}).to_string();
    let mut stream = UnixStream::connect(core.core_socket()).unwrap();
    write!(
        stream,
        "POST /v1/sessions HTTP/1.1\r\nHost: core\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap())
}

/// The configuration that a set of rules of the table is, for a core.
fn configuration(rules: &str, dir: &Path) -> String {
    let prefix = format!("rules {rules}:");
    let lines: Vec<&str> = TABLE.lines().filter_map(|line| line.strip_prefix(&prefix)).collect();
    let (mut realms, mut altnames, mut keytab) = (String::new(), String::new(), String::new());
    for line in lines {
        if let Some(mapping) = line.trim().strip_prefix("altname ") {
            let (principal, login) = mapping.split_once(" = ").unwrap();
            // Login names that the configuration refuses are none that a core could run with.
            if login != "SYSTEM" && !login.contains(['@', '/']) {
                altnames += &format!("'{principal}' = '{login}'\n");
            }
        } else if let Some(realm) = line.trim().strip_prefix("fallback ") {
            keytab = format!("[sso.kerberos]\nkeytab = '{}'\n", keytab_of(realm, dir));
        } else {
            realms += &realm(line);
        }
    }
    format!(
        "{keytab}[core]\nlisten = \"unix:{{dir}}/core.sock\"\n{realms}[core.altnames]\n{altnames}"
    )
}

/// Tenants are not in this version, so the table's companies are left out here.
fn realm(line: &str) -> String {
    let mut words = line.split_whitespace();
    let (realm, domain) = (words.next().unwrap(), words.next().unwrap());
    let strip = match words.next().unwrap() {
        "exact" => "true",
        "keep" => "false",
        named => &format!("\"{named}\""),
    };
    let domain = if domain == "-" { "" } else { domain };
    let exact_case = words.any(|word| word == "case-sensitive");
    format!(
        "[[core.realm]]\nrealm = '{realm}'\ndomain = '{domain}'\nstrip = {strip}\n\
         case_sensitive = {exact_case}\n"
    )
}

/// A keytab of a service in the realm.
fn keytab_of(realm: &str, dir: &Path) -> String {
    let file = dir.join("own.keytab").to_str().unwrap().to_owned();
    let mut ktutil =
        Command::new("ktutil").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let add =
        format!("addent -password -p HTTP/web@{realm} -k 1 -e aes256-cts\nsecret\nwkt {file}\n");
    ktutil.stdin.take().unwrap().write_all(add.as_bytes()).unwrap();
    assert!(ktutil.wait().unwrap().success());
    file
}

/// The trusted rows of a set of rules: name and expectation.
fn rows(rules: &str) -> Vec<(String, &'static str)> {
    let signs = [('␠', ' '), ('␀', '\0'), ('␉', '\t'), ('␊', '\n'), ('␡', '\u{7f}')];
    let lines = TABLE.lines().filter(|line| line.starts_with("trusted "));
    lines
        .filter_map(|line| {
            let (input, expected) = line.split_once(" ---- ").unwrap();
            let mut columns = input.splitn(3, '|').map(str::trim).skip(1);
            let (set, name) = (columns.next().unwrap(), columns.next().unwrap());
            let plain = signs.iter().fold(name.to_owned(), |name, (sign, character)| {
                name.replace(*sign, &character.to_string())
            });
            (set == rules).then_some((plain, expected))
        })
        .collect()
}

#[test]
fn every_trusted_name_of_the_table_has_its_answer_and_its_reason_in_the_audit_log() {
    let mut tried = 0;
    for rules in ["none", "exact", "keep", "zcp", "kopano", "two", "mixed", "unix", "mapped"] {
        let dir = temp_dir("names-");
        let core = Doorward::core(&configuration(rules, dir.path()));
        for (name, expected) in rows(rules) {
            tried += 1;
            let (status, said) = open(&core, &name);
            let Some(reason) = expected.strip_prefix("refused: ") else {
                let login = expected.split(" (").next().unwrap();
                assert_eq!(status, 201, "{rules}: {name:?}: {said}");
                assert_eq!(said["user"]["login"], login, "{rules}: {name:?}");
                assert_eq!(said["principal"], name, "{rules}");
                continue;
            };
            assert_eq!(
                (status, &said["error"]),
                (401, &json!("logon_failed")),
                "{rules}: {name:?}"
            );
            assert_eq!(said.get("reason"), None, "{rules}: {name:?}");
            let line =
                core.wait_audit("the refusal", |line| line["reference"] == said["reference"]);
            assert_eq!(line["reason"], reason, "{rules}: {name:?}");
            assert_eq!((&line["principal"], &line["peer"]), (&json!(name), &json!("uid 0")));
        }
    }
    let all = TABLE.lines().filter(|line| line.starts_with("trusted ")).count();
    assert_eq!(tried, all, "a set of rules of the table was not tried");
}

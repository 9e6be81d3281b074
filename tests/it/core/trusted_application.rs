//! docs/trusted-web-application.md: its own files, run with a real Apache in a real realm.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::lab::http::Response;
use crate::lab::servers::{self, Server};
use crate::lab::{Doorward, Pki, Ticket, curl, realm, temp_dir};

/// The application behind its Apache, and the core that both trust.
struct Example {
    core: Doorward,
    apache: Server,
    _files: tempfile::TempDir,
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/trusted-web-application").join(name)
}

fn text(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap()
}

/// The core's configuration by uid, at a socket of this test.
fn by_uid(strip: &str) -> String {
    let text = text("by-uid.toml").replace("strip = true", &format!("strip = {strip}"));
    text.replace("[core]", "[core]\nlisten = \"unix:{dir}/core.sock\"")
}

/// The core's configuration by certificate, with keys and ports of this test.
fn by_certificate(pki: &Pki) -> String {
    text("by-certificate.toml")
        .replace("[core]", "[core]\nlisten = \"unix:{dir}/core.sock\"")
        .replace("0.0.0.0:237", "127.0.0.1:0")
        .replace("/etc/doorward/core.pem", &pki.text("core.pem"))
        .replace("/etc/doorward/cacert.pem", &pki.text("ca.crt"))
        .replace("/etc/doorward/sslkeys", &pki.text("sslkeys"))
}

impl Example {
    /// Apache under this account; the application comes to the core by its uid.
    #[track_caller]
    fn by_uid(account: &str, config: &str) -> Example {
        let core = Doorward::core(config);
        let address = format!("unix:{}", core.core_socket().display());
        Self::start(account, core, &[("CORE", &address)], "")
    }

    /// The application comes by TLS, with a key of its own.
    #[track_caller]
    fn by_certificate(pki: &Pki, config: &str) -> Example {
        let core = Doorward::core(config);
        let address = format!("https://{}:{}", realm().host("web"), core.core_port());
        let (key, ca) = (pki.text("notes.pem"), pki.text("ca.crt"));
        let defined = [("CORE", address.as_str()), ("SSLKEY_FILE", &key), ("CA_FILE", &ca)];
        Self::start("www-data", core, &defined, "Define BY_CERTIFICATE\n")
    }

    fn start(account: &str, core: Doorward, defined: &[(&str, &str)], more: &str) -> Example {
        let files = temp_dir("notes-");
        for name in ["application.py", "core.py"] {
            fs::copy(file(name), files.path().join(name)).unwrap();
        }
        let mut site =
            format!("Define NOTES {}\nDefine KEYTAB {{keytab}}\n", files.path().display());
        for (name, value) in defined {
            site += &format!("Define {name} {value}\n");
        }
        site += more;
        site += &format!("Include {}\n", file("apache.conf").display());
        let keytab = &realm().both_keytab;
        let apache = servers::apache_as(account, &["alias", "cgid"], keytab, &site);
        Example { core, apache, _files: files }
    }

    fn ask(&self, ticket: &Ticket, path: &str, more: &[&str]) -> Response {
        let url = format!("http://{}:{}/notes{path}", realm().host("web"), self.apache.port);
        curl(Some(ticket), &[more, &[url.as_str()]].concat())
    }

    /// Signs on; what the page says, and the session's secret.
    #[track_caller]
    fn enter(&self, user: &str) -> (String, String) {
        let answer = self.ask(&realm().ticket(user), "", &[]);
        assert_eq!(answer.status, 200, "{answer:?}");
        let set = answer.header("set-cookie").unwrap();
        let secret = set.strip_prefix("notes=").unwrap().split(';').next().unwrap();
        (answer.text(), secret.to_owned())
    }

    /// What the page says to somebody whom the core refuses, and the audit line of it.
    #[track_caller]
    fn refused(&self, ticket: &Ticket) -> (String, Value) {
        let answer = self.ask(ticket, "", &[]);
        assert_eq!((answer.status, answer.header("set-cookie")), (403, None), "{answer:?}");
        let said = answer.text();
        let line = self.core.wait_audit("the refusal", |line| {
            line["reference"].as_str().is_some_and(|reference| said.contains(reference))
        });
        (said, line)
    }
}

#[test]
fn the_domain_is_stripped_under_every_rule_and_the_audit_log_says_who_vouched() {
    for strip in ["true", "\"zcp\"", "\"kopano\""] {
        let example = Example::by_uid("www-data", &by_uid(strip));
        let (said, _) = example.enter("alice");
        assert!(said.contains("Hello alice, signed on by trusted as alice@LAB.EXAMPLE"), "{said}");
        let line = example.core.wait_audit("the sign-on", |line| line["event"] == "sign_on");
        for (name, value) in [
            ("peer", "uid 33"),
            ("mechanism", "trusted"),
            ("principal", "alice@LAB.EXAMPLE"),
            ("login", "alice"),
            ("client", "127.0.0.1"),
        ] {
            assert_eq!(line[name], value, "{strip}: {line}");
        }
    }
}

#[test]
fn names_beyond_ascii_arrive_whole() {
    let example = Example::by_uid("www-data", &by_uid("true"));
    let (said, _) = example.enter("jürgen");
    assert!(said.contains("Hello jürgen, "), "{said}");
}

#[test]
fn who_is_not_of_a_listed_realm_is_refused_however_apache_proved_them() {
    let example = Example::by_uid("www-data", &by_uid("true"));
    let (said, line) = example.refused(&realm().ticket("alice@MIT.EXAMPLE"));
    assert!(said.contains("logon_failed"), "{said}");
    assert_eq!(line["reason"], "realm_not_allowed");
    assert_eq!(line["principal"], "alice@MIT.EXAMPLE");
}

#[test]
fn a_web_server_under_an_account_that_is_not_listed_vouches_for_nobody() {
    let example = Example::by_uid("daemon", &by_uid("true"));
    let (said, line) = example.refused(&realm().ticket("alice"));
    assert!(said.contains("no_access"), "{said}");
    assert_eq!(
        (line["peer"].as_str(), line["reason"].as_str()),
        (Some("uid 1"), Some("not_permitted"))
    );
}

#[test]
fn a_key_vouches_for_those_it_is_given_and_for_nobody_else() {
    let pki = Pki::new();
    pki.client("notes");
    fs::set_permissions(pki.path("notes.pem"), fs::Permissions::from_mode(0o644)).unwrap();
    let config = by_certificate(&pki);
    let example = Example::by_certificate(&pki, &config);
    let (said, _) = example.enter("alice");
    assert!(said.contains("Hello alice, "), "{said}");
    let line = example.core.wait_audit("the sign-on", |line| line["event"] == "sign_on");
    assert_eq!(line["key"], "notes-public.pem", "{line}");
    let (_, line) = example.refused(&realm().ticket("bob"));
    assert_eq!(
        (&line["reason"], &line["principal"]),
        (&"public_key_scope".into(), &"bob@LAB.EXAMPLE".into())
    );

    // Nobody is of a company in this version, so a key for one vouches for nobody.
    example.core.reload(&config.replace("[\"alice\", \"john\"]", "[\"company:lab\"]"));
    example.core.wait_log("the reload", |line| line.to_string().contains("\"reloaded\""));
    let (_, line) = example.refused(&realm().ticket("alice"));
    assert_eq!(line["reason"], "public_key_scope");

    pki.unlist("notes");
    let (said, line) = example.refused(&realm().ticket("alice"));
    assert!(said.contains("certificate_refused"), "{said}");
    assert_eq!(line["reason"], "public_key_removed");
}

#[test]
fn the_application_resolves_its_session_and_ends_it() {
    let example = Example::by_uid("www-data", &by_uid("true"));
    let (_, secret) = example.enter("alice");
    let alice = realm().ticket("alice");
    let cookie = format!("notes={secret}");
    let again = example.ask(&alice, "", &["--cookie", &cookie]);
    assert_eq!((again.status, again.header("set-cookie")), (200, None), "resolved: {again:?}");
    let socket = example.core.core_socket();
    let url = format!("http://core/v1/sessions/{secret}");
    let resolve = || curl(None, &["--unix-socket", socket.to_str().unwrap(), &url]);
    assert_eq!(resolve().json()["user"]["login"], "alice");

    // Another's cookie does not make alice of bob.
    let bob = example.ask(&realm().ticket("bob"), "", &["--cookie", &cookie]);
    assert!(bob.text().contains("Hello bob, ") && bob.header("set-cookie").is_some(), "{bob:?}");

    assert_eq!(example.ask(&alice, "/logout", &["--cookie", &cookie]).status, 405);
    let left = example.ask(&alice, "/logout", &["--cookie", &cookie, "--request", "POST"]);
    assert_eq!(left.status, 200, "{left:?}");
    assert!(left.header("set-cookie").unwrap().contains("Max-Age=0"), "{left:?}");
    assert_eq!(resolve().json()["error"], "end_of_session");
    let line = example.core.wait_audit("the end", |line| line["event"] == "session_end");
    assert_eq!((&line["login"], &line["peer"]), (&"alice".into(), &"uid 33".into()));
    // A cookie whose session has ended is no error: alice is there still, and signed on anew.
    assert!(example.ask(&alice, "", &["--cookie", &cookie]).header("set-cookie").is_some());
}

#[test]
fn a_core_that_does_not_run_is_no_way_in() {
    let mut example = Example::by_uid("www-data", &by_uid("true"));
    example.core.stop();
    let answer = example.ask(&realm().ticket("alice"), "", &[]);
    assert_eq!((answer.status, answer.header("set-cookie")), (503, None), "{answer:?}");
}

#[test]
fn the_document_shows_the_files_as_they_are() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/trusted-web-application.md");
    let document = fs::read_to_string(document).unwrap();
    let files: Vec<String> =
        ["apache.conf", "application.py", "core.py", "by-uid.toml", "by-certificate.toml"]
            .map(text)
            .to_vec();
    let blocks: Vec<&str> = document.split("```").skip(1).step_by(2).collect();
    let shown = |language: &str| {
        let of = |block: &&str| block.strip_prefix(language).map(|rest| rest.trim().to_owned());
        blocks.iter().filter_map(of).collect::<Vec<_>>()
    };
    let all = [shown("apache\n"), shown("python\n"), shown("toml\n")].concat();
    assert_eq!(all.len(), 5, "{all:#?}");
    for block in &all {
        assert!(files.iter().any(|file| file.contains(block)), "in no file:\n{block}");
    }
}

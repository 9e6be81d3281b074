//! Sign-on at the front by client certificate, with keys and certificates of OpenSSL.

use std::io::{Read, Write};
use std::time::Duration;

use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::clients::curl_with;
use crate::lab::http::Response;
use crate::lab::pki::CLIENT;
use crate::lab::{Pki, python, realm, wait_until};

/// A gateway that signs on by certificate, and by what else is offered.
#[track_caller]
pub(crate) fn gateway(pki: &Pki, offered: &str, front: &str, more: &str) -> Gateway {
    let front = format!(
        "server_ssl_key_file = \"{}\"\nclient_ssl_ca_file = \"{}\"\n{front}",
        pki.text("core.pem"),
        pki.text("ca.crt"),
    );
    Setup {
        front: front.leak(),
        sso: format!("mechanisms = [{offered}]").leak(),
        core: format!("sslkeys_path = \"{}\"\n{more}", pki.text("sslkeys")).leak(),
        ..Setup::default()
    }
    .start()
}

/// Only certificates, for these keys of the same names as their users.
#[track_caller]
fn of(pki: &Pki, users: &[&str]) -> Gateway {
    gateway(pki, "\"certificate\"", "", &entries(users))
}

pub(crate) fn entries(users: &[&str]) -> String {
    users.iter().map(|user| entry(user, &format!("act_as = [\"{user}\"]"))).collect()
}

fn entry(name: &str, lines: &str) -> String {
    format!("[[core.key]]\nfile = \"{name}-public.pem\"\n{lines}\n")
}

/// A path over TLS, with `NAME.pem` or without a certificate.
#[track_caller]
pub(crate) fn get(
    gateway: &Gateway,
    pki: &Pki,
    name: Option<&str>,
    path: &str,
    args: &[&str],
) -> Response {
    let (url, ca) = (gateway.doorward.https_url(path), pki.text("ca.crt"));
    let pem = name.map(|name| pki.text(&format!("{name}.pem")));
    let mut all = vec!["--cacert", &ca];
    if let Some(pem) = &pem {
        all.extend(["--cert", pem]);
    }
    all.extend(args);
    all.push(&url);
    // Weak keys are to be refused by the gateway, and not by the client itself.
    curl_with("OPENSSL_CONF", &pki.text("openssl.cnf"), &all)
}

/// The reason of a refusal, which the audit log has under the same reference.
#[track_caller]
fn refused(gateway: &Gateway, pki: &Pki, name: &str) -> String {
    let answer = get(gateway, pki, Some(name), "/", &[]);
    assert_eq!(answer.status, 403, "{name}: {answer:?}");
    let body = answer.json();
    let reference = body["reference"].as_str().unwrap().to_owned();
    let line = gateway.doorward.wait_audit("the refusal", |line| line["reference"] == reference);
    assert_eq!((&line["reason"], &line["mechanism"]), (&body["reason"], &json!("certificate")));
    body["reason"].as_str().unwrap().to_owned()
}

#[test]
fn a_listed_key_signs_its_user_on_whatever_its_algorithm() {
    let pki = Pki::new();
    let kinds = [("alice", "P-256"), ("bob", "2048"), ("carol", "ED25519"), ("dora", "P-384")];
    for (name, kind) in kinds {
        pki.key(name, kind);
        pki.issue(name, "ca", CLIENT);
        pki.list(name);
    }
    let gateway = of(&pki, &kinds.map(|(name, _)| name));
    for (name, _) in kinds {
        for version in ["--http1.1", "--http2"] {
            let answer = get(&gateway, &pki, Some(name), "/", &[version]);
            assert_eq!(answer.statuses(), [200], "{name}: {answer:?}");
            assert_eq!(reached(&answer, "Remote-User"), [name]);
            assert_eq!(reached(&answer, "Remote-Mechanism"), ["certificate"]);
        }
    }
    let whoami = get(&gateway, &pki, Some("alice"), "/.doorward/whoami", &[]).json();
    assert_eq!(whoami["user"]["login"], "alice");
    assert_eq!(whoami["mechanism"], "certificate");
    assert_eq!(whoami["principal"], "CN=alice");
    assert_eq!(whoami["channel_bound"], true);
    let line = gateway.doorward.wait_audit("the sign-on", |line| line["login"] == "alice");
    assert_eq!(line["outcome"], "granted");
    assert_eq!(line["key"], "alice-public.pem");
    assert_eq!(line["principal"], "CN=alice");
}

#[test]
fn every_other_certificate_gets_an_answer_that_says_why() {
    let pki = Pki::new();
    pki.authority("other");
    for name in ["unlisted", "stranger", "alone", "over", "early", "server", "short", "web"] {
        pki.key(name, if name == "short" { "1024" } else { "P-256" });
        pki.issue(name, if name == "stranger" { "other" } else { "ca" }, CLIENT);
        pki.list(name);
    }
    pki.unlist("unlisted");
    pki.self_signed("alone");
    pki.issue_at("-40 days", "over", "ca", CLIENT);
    pki.issue_at("+10 days", "early", "ca", CLIENT);
    pki.issue("server", "ca", "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n");
    for name in ["system", "several", "anybody", "gate", "far", "past"] {
        pki.client(name);
    }
    let more = "keys_without_entry = \"system\"\n".to_owned()
        + &entries(&["stranger", "alone", "over", "early", "server", "short"])
        + &entry("several", "act_as = [\"alice\", \"bob\"]")
        + &entry("anybody", "act_as = [\"*\"]")
        + &entry("gate", "role = \"front\"")
        + &entry("far", "act_as = [\"far\"]\nfrom = [\"10.0.0.0/8\"]")
        + &entry("past", "act_as = [\"past\"]\nnot_after = 2020-01-01T00:00:00Z");
    let gateway = gateway(&pki, "\"certificate\"", "", &more);
    for (name, reason) in [
        ("stranger", "certificate_no_chain"),
        ("alone", "certificate_self_signed"),
        ("over", "certificate_expired"),
        ("early", "certificate_not_yet_valid"),
        ("server", "certificate_purpose"),
        ("short", "public_key_too_short"),
        ("unlisted", "public_key_not_listed"),
        ("system", "public_key_no_user"),
        ("several", "public_key_no_user"),
        ("anybody", "public_key_no_user"),
        ("gate", "public_key_no_user"),
        ("far", "public_key_address"),
        ("past", "public_key_expired"),
    ] {
        assert_eq!(refused(&gateway, &pki, name), reason, "{name}");
    }
    let granted = gateway.doorward.audit();
    assert_eq!(granted.iter().filter(|line| line["outcome"] == "granted").count(), 0);
    let page = get(&gateway, &pki, Some("over"), "/", &["-H", "Accept: text/html"]);
    assert!(page.text().contains("has expired"), "{page:?}");
    let nobody = get(&gateway, &pki, None, "/", &[]);
    assert_eq!(nobody.status, 403);
    assert_eq!(nobody.json()["reason"], "no_certificate");
    assert_eq!(nobody.header("www-authenticate"), None);
}

#[test]
fn a_certificate_that_stands_in_a_header_is_not_read() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = gateway(
        &pki,
        "\"certificate\", \"negotiate\"",
        "trusted_proxies = [\"127.0.0.1\"]",
        &entries(&["alice"]),
    );
    let der = std::fs::read_to_string(pki.path("alice.crt")).unwrap().replace('\n', "%0A");
    for name in ["Client-Cert", "X-SSL-Client-Cert", "X-Forwarded-Client-Cert", "X-Client-Cert"] {
        let header = format!("{name}: {der}");
        let answer = get(&gateway, &pki, None, "/", &["-H", &header]);
        assert_eq!(answer.status, 401, "{name}: {answer:?}");
        assert_eq!(answer.json()["reason"], "no_credentials");
    }
    // A proxy's own certificate is not its clients'.
    let answer = get(&gateway, &pki, Some("alice"), "/", &[]);
    assert_eq!((answer.status, &answer.json()["reason"]), (401, &json!("certificate_by_proxy")));
}

#[test]
fn who_sends_the_marks_of_a_proxy_is_not_signed_on_by_its_certificate() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let answer = get(&gateway, &pki, Some("alice"), "/", &["-H", "Via: 1.1 cache"]);
    assert_eq!((answer.status, &answer.json()["reason"]), (403, &json!("certificate_by_proxy")));
}

#[test]
fn kerberos_signs_on_beside_certificates_and_instead_of_a_refused_one() {
    let pki = Pki::new();
    pki.client("bob");
    pki.client("unlisted");
    pki.unlist("unlisted");
    let gateway = gateway(&pki, "\"certificate\", \"negotiate\"", "", &entries(&["bob"]));
    let signed_on = get(&gateway, &pki, Some("bob"), "/", &[]);
    assert_eq!(reached(&signed_on, "Remote-User"), ["bob"]);
    let refused = get(&gateway, &pki, Some("unlisted"), "/", &[]);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["reason"], "public_key_not_listed");
    assert_eq!(refused.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);

    let alice = realm().ticket("alice");
    let (ca, pem) = (pki.text("ca.crt"), pki.text("unlisted.pem"));
    let args = ["--cacert", ca.as_str(), "--cert", pem.as_str()];
    let url = gateway.doorward.https_url("/");
    let answer = crate::lab::curl(Some(&alice), &[&args[..], &[url.as_str()]].concat());
    assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{answer:?}");
    assert_eq!(reached(&answer, "Remote-Mechanism"), ["negotiate"]);

    let nobody = get(&gateway, &pki, None, "/", &[]);
    assert_eq!((nobody.status, &nobody.json()["reason"]), (401, &json!("no_credentials")));
}

#[test]
fn the_cookie_of_a_certificate_opens_nothing_without_it() {
    let pki = Pki::new();
    pki.client("alice");
    pki.client("bob");
    let gateway = gateway(&pki, "\"certificate\", \"negotiate\"", "", &entries(&["alice", "bob"]));
    let cookie = cookie_of(&get(&gateway, &pki, Some("alice"), "/", &[]));
    let header = format!("Cookie: {cookie}");
    let with = |name| get(&gateway, &pki, name, "/", &["-H", header.as_str()]);
    let own = with(Some("alice"));
    assert_eq!((own.status, own.header("set-cookie")), (200, None), "the session serves it");
    let stolen = with(None);
    assert_eq!(stolen.status, 401);
    assert_eq!(stolen.json()["reason"], "certificate_not_shown");
    assert_eq!(reached(&with(Some("bob")), "Remote-User"), ["bob"]);
    // Nor on plain HTTP, where there are no certificates.
    let plain = gateway.get(None, "/", &["-H", &header]);
    assert_eq!(plain.status, 401);
}

/// What a client sees on a connection that stands, on one that resumes its TLS
/// session, and on a new one; before and after something is done to its key.
fn seen(gateway: &Gateway, pki: &Pki, version: &str, does: &str) -> Value {
    let script = format!(
        r#"
import http.client, json, os, shutil, ssl, time
context = ssl.create_default_context(cafile="{ca}")
context.load_cert_chain("{pem}")
context.minimum_version = context.maximum_version = ssl.TLSVersion.{version}
class Connection(http.client.HTTPSConnection):
    session = None
    def connect(self):
        http.client.HTTPConnection.connect(self)
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host, session=self.session)
    def ask(self):
        self.request("GET", "/")
        answer = self.getresponse()
        return [answer.status, json.loads(answer.read()).get("reason")]
first = Connection("{host}", {port})
said = [first.ask()]
resumed = Connection("{host}", {port})
resumed.session = first.sock.session
said += [resumed.ask(), resumed.sock.session_reused]
{does}
said.append(first.ask())
again = Connection("{host}", {port})
again.session = resumed.sock.session
said += [again.ask(), again.sock.session_reused]
print(json.dumps(said))
"#,
        ca = pki.text("ca.crt"),
        pem = pki.text("alice.pem"),
        host = web(),
        port = gateway.doorward.https_port(),
    );
    serde_json::from_str(&python(&script, None)).unwrap()
}

#[test]
fn a_key_that_was_taken_out_a_second_ago_signs_nobody_on_where_it_stood() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let file = pki.text("sslkeys/alice-public.pem");
    for version in ["TLSv1_3", "TLSv1_2"] {
        pki.list("alice");
        let said = seen(&gateway, &pki, version, &format!("os.remove('{file}')\ntime.sleep(1.5)"));
        let (granted, gone) = (json!([200, null]), json!([403, "public_key_removed"]));
        assert_eq!(said, json!([granted, granted, true, gone, gone, true]), "{version}");
    }
    let line = gateway.doorward.wait_audit("the end", |line| line["event"] == "session_end");
    assert_eq!((&line["reason"], &line["login"]), (&json!("public_key_removed"), &json!("alice")));
    pki.list("alice");
    assert_eq!(get(&gateway, &pki, Some("alice"), "/", &[]).status, 200, "it counts again at once");
}

#[test]
fn a_certificate_that_was_revoked_a_second_ago_counts_no_more_where_it_stood() {
    let pki = Pki::new();
    pki.client("alice");
    pki.client("bob");
    pki.revoke(&[], "+0 days");
    let crl = format!("crl_file = \"{}\"", pki.text("crl.pem"));
    let gateway = gateway(&pki, "\"certificate\"", &crl, &entries(&["alice", "bob"]));
    std::fs::copy(pki.path("crl.pem"), pki.path("crl.before")).unwrap();
    pki.revoke(&["alice"], "+0 days");
    std::fs::rename(pki.path("crl.pem"), pki.path("crl.after")).unwrap();
    std::fs::rename(pki.path("crl.before"), pki.path("crl.pem")).unwrap();
    let (after, crl) = (pki.text("crl.after"), pki.text("crl.pem"));
    let does = format!("os.rename('{after}', '{crl}')\ntime.sleep(1.1)");
    let said = seen(&gateway, &pki, "TLSv1_3", &does);
    let (granted, gone) = (json!([200, null]), json!([403, "certificate_revoked"]));
    assert_eq!(said, json!([granted, granted, true, gone, gone, true]));
    assert_eq!(get(&gateway, &pki, Some("bob"), "/", &[]).status, 200);
    // The session was ended everywhere.
    gateway.doorward.wait_audit("the end", |line| line["event"] == "session_end");
}

#[test]
fn a_certificate_that_is_issued_anew_for_the_same_key_keeps_its_session() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let cookie = cookie_of(&get(&gateway, &pki, Some("alice"), "/", &[]));
    pki.issue("alice", "ca", CLIENT);
    let header = format!("Cookie: {cookie}");
    let answer = get(&gateway, &pki, Some("alice"), "/", &["-H", &header]);
    assert_eq!((answer.status, answer.header("set-cookie")), (200, None), "{answer:?}");
}

#[test]
fn a_session_ends_with_its_certificate() {
    let pki = Pki::new();
    pki.client("alice");
    // Five seconds of its thirty days are left.
    let left = Duration::from_secs(5);
    pki.issue_at(&format!("-{} seconds", 30 * 86_400 - left.as_secs()), "alice", "ca", CLIENT);
    let gateway = of(&pki, &["alice"]);
    let whoami = get(&gateway, &pki, Some("alice"), "/.doorward/whoami", &[]);
    assert_eq!(whoami.status, 200, "{whoami:?}");
    wait_until(left * 3, "the end of the certificate", || {
        (get(&gateway, &pki, Some("alice"), "/", &[]).status != 200).then_some(())
    });
    assert_eq!(refused(&gateway, &pki, "alice"), "certificate_expired");
}

/// A websocket's tunnel over TLS with a certificate: `openssl s_client` carries the bytes.
#[test]
fn a_tunnel_ends_with_the_key_it_was_opened_by() {
    let pki = Pki::new();
    pki.client("alice");
    let gateway = of(&pki, &["alice"]);
    let address = format!("127.0.0.1:{}", gateway.doorward.https_port());
    let mut client = std::process::Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &address, "-alpn", "http/1.1"])
        .args(["-cert", &pki.text("alice.pem"), "-key", &pki.text("alice.pem")])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let request = format!(
        "GET /upgrade HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
        web()
    );
    client.stdin.as_mut().unwrap().write_all(request.as_bytes()).unwrap();
    let mut output = client.stdout.take().unwrap();
    let mut head = [0; 12];
    output.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 101");
    pki.unlist("alice");
    // It ends by itself, although nobody sends or asks anything.
    output.read_to_end(&mut Vec::new()).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
}

#[test]
fn an_entry_that_names_somebody_else_ends_the_sessions_of_the_one_before() {
    let pki = Pki::new();
    pki.client("desk");
    let gateway = gateway(&pki, "\"certificate\"", "", &entry("desk", "act_as = [\"alice\"]"));
    let answer = get(&gateway, &pki, Some("desk"), "/", &[]);
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    let header = format!("Cookie: {}", cookie_of(&answer));
    let path = gateway.doorward.dir().join("doorward.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, text.replace("act_as = [\"alice\"]", "act_as = [\"bob\"]")).unwrap();
    gateway.doorward.signal(nix::sys::signal::Signal::SIGHUP);
    wait_until(Duration::from_secs(10), "the other user", || {
        let answer = get(&gateway, &pki, Some("desk"), "/", &["-H", &header]);
        (reached(&answer, "Remote-User") == ["bob"]).then_some(())
    });
}

#[test]
fn only_clients_of_our_authorities_are_asked_and_none_where_it_is_not_offered() {
    let pki = Pki::new();
    let asked = |gateway: &Gateway| {
        let address = format!("127.0.0.1:{}", gateway.doorward.https_port());
        let done = std::process::Command::new("openssl")
            .args(["s_client", "-connect", &address])
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap();
        String::from_utf8_lossy(&done.stdout).into_owned()
    };
    let said = asked(&of(&pki, &[]));
    assert!(said.contains("Acceptable client certificate CA names\nCN = ca\n"), "{said}");
    let said = asked(&gateway(&pki, "\"negotiate\"", "", ""));
    assert!(said.contains("No client certificate CA names sent"), "{said}");
}

#[test]
fn probe_signs_on_as_the_certificate_says_or_tells_why_not() {
    let pki = Pki::new();
    for name in ["alice", "stranger"] {
        pki.client(name);
    }
    pki.unlist("stranger");
    let gateway = of(&pki, &["alice"]);
    let probe = |name: &str| {
        let mut command = crate::lab::doorward::program();
        command.args(["probe", &gateway.doorward.https_url("/"), "--ca", &pki.text("ca.crt")]);
        let done = command.args(["--cert", &pki.text(&format!("{name}.pem"))]).output().unwrap();
        (done.status.code(), String::from_utf8(done.stdout).unwrap())
    };
    let (code, said) = probe("alice");
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("CN=alice") && said.contains("Signed on."), "{said}");
    let (code, said) = probe("stranger");
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("sslkeys_path"), "{said}");
}

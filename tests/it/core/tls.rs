//! The core on TLS: whose certificate counts, and what the others are told.

use serde_json::{Value, json};

use crate::lab::clients::curl_with;
use crate::lab::http::{Raw, Response};
use crate::lab::pki::CLIENT;
use crate::lab::{Doorward, Pki, realm, resumption};

/// Asks the core by TLS, with `NAME.pem` or without a certificate.
#[track_caller]
pub(crate) fn ask(
    core: &Doorward,
    pki: &Pki,
    name: Option<&str>,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Response {
    let url = format!("https://{}:{}{path}", realm().host("web"), core.core_port());
    let (authority, body) = (pki.text("ca.crt"), body.map(|body| body.to_string()));
    let pem = name.map(|name| pki.text(&format!("{name}.pem")));
    let mut args = vec!["--cacert", &authority, "-X", method];
    if let Some(pem) = &pem {
        args.extend(["--cert", pem]);
    }
    if let Some(body) = &body {
        args.extend(["-H", "Content-Type: application/json", "--data", body]);
    }
    args.push(&url);
    // Weak keys are to be refused by the core, and not by the client itself.
    curl_with("OPENSSL_CONF", &pki.text("openssl.cnf"), &args)
}

#[track_caller]
pub(super) fn whoami(core: &Doorward, pki: &Pki, name: &str) -> Response {
    ask(core, pki, Some(name), "GET", "/v1/whoami", None)
}

#[track_caller]
pub(super) fn refused(core: &Doorward, pki: &Pki, name: &str) -> String {
    let answer = whoami(core, pki, name);
    assert_eq!(answer.status, 403, "{name}: {answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], "certificate_refused", "{body}");
    let reason = body["reason"].as_str().unwrap().to_owned();
    // The reference on the answer finds the line of the audit log.
    let reference = body["reference"].as_str().unwrap().to_owned();
    let line = core.wait_audit("the refusal", |line| line["reference"] == reference);
    assert_eq!(line["reason"], reason);
    reason
}

#[test]
fn a_listed_key_with_a_certificate_of_our_authority_is_system() {
    let pki = Pki::new();
    for (name, kind) in [
        ("ec", "P-256"),
        ("ec384", "P-384"),
        ("ec521", "P-521"),
        ("ed", "ED25519"),
        ("rsa", "2048"),
    ] {
        pki.key(name, kind);
        pki.issue(name, "ca", CLIENT);
        pki.list(name);
    }
    let core = Doorward::core(&pki.core(""));
    for name in ["ec", "ec384", "ec521", "ed", "rsa"] {
        let key = format!("{name}-public.pem");
        let expected = json!({"peer": "certificate", "uid": null, "key": key, "as": "SYSTEM"});
        let answer = whoami(&core, &pki, name);
        assert_eq!(answer.json(), expected);
        assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    }
    // The certificate may be listed in the place of the key, and be issued anew.
    pki.unlist("ec");
    std::fs::copy(pki.path("ec.crt"), pki.path("sslkeys/ec.crt")).unwrap();
    pki.issue("ec", "ca", CLIENT);
    assert_eq!(whoami(&core, &pki, "ec").json()["key"], "ec.crt");
}

#[test]
fn every_other_certificate_is_told_why_it_does_not_count() {
    let pki = Pki::new();
    pki.authority("other");
    let issue = |name: &str, kind: &str, authority: &str, extensions: &str| {
        pki.key(name, kind);
        pki.issue(name, authority, extensions);
        pki.list(name);
    };
    issue("stranger", "P-256", "other", CLIENT);
    issue("server", "P-256", "ca", "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n");
    issue("short", "1024", "ca", CLIENT);
    issue("curved", "ED448", "ca", CLIENT);
    issue("unlisted", "P-256", "ca", CLIENT);
    pki.unlist("unlisted");
    issue("replaced", "2048", "ca", CLIENT);
    // A new key behind the name of the old one, which still is in sslkeys.
    pki.key("replaced", "P-256");
    pki.issue("replaced", "ca", CLIENT);
    issue("alone", "P-256", "ca", CLIENT);
    pki.self_signed("alone");
    issue("over", "P-256", "ca", CLIENT);
    pki.issue_at("-40 days", "over", "ca", CLIENT);
    issue("early", "P-256", "ca", CLIENT);
    pki.issue_at("+10 days", "early", "ca", CLIENT);
    let core = Doorward::core(&pki.core(""));
    for (name, reason) in [
        ("stranger", "certificate_no_chain"),
        ("alone", "certificate_self_signed"),
        ("over", "certificate_expired"),
        ("early", "certificate_not_yet_valid"),
        ("server", "certificate_purpose"),
        ("short", "public_key_too_short"),
        ("curved", "public_key_algorithm"),
        ("unlisted", "public_key_not_listed"),
        ("replaced", "public_key_not_listed"),
    ] {
        assert_eq!(refused(&core, &pki, name), reason, "{name}");
    }
    let said = whoami(&core, &pki, "over").json()["message"].as_str().unwrap().to_owned();
    assert!(said.contains("has expired") && said.contains("CN=over, issued by CN=ca"), "{said}");
    assert_eq!(core.audit().iter().filter(|line| line["outcome"] == "granted").count(), 0);
    let skipped = |file: &'static str| {
        move |line: &Value| line["fields"]["file"] == file || line["file"] == file
    };
    core.wait_log("the short key", skipped("short-public.pem"));
    let before = core.log().iter().filter(|line| skipped("short-public.pem")(line)).count();
    assert_eq!(before, 1, "skipped files are said once");
}

#[test]
fn a_revoked_certificate_is_refused_and_a_list_out_of_date_refuses_all() {
    let pki = Pki::new();
    pki.client("good");
    pki.client("stolen");
    pki.revoke(&[], "+0 days");
    let core = Doorward::core(&pki.core(&format!("crl_file = \"{}\"", pki.text("crl.pem"))));
    assert_eq!(whoami(&core, &pki, "stolen").status, 200);
    pki.revoke(&["stolen"], "+0 days");
    assert_eq!(refused(&core, &pki, "stolen"), "certificate_revoked");
    assert_eq!(whoami(&core, &pki, "good").status, 200);
    pki.revoke(&[], "-20 days");
    assert_eq!(refused(&core, &pki, "good"), "crl_outdated");
}

#[test]
fn a_key_that_is_taken_out_counts_no_more_on_connections_and_sessions_that_stand() {
    let pki = Pki::new();
    pki.client("web");
    let core = Doorward::core(&pki.core(""));
    let asked = ("web", core.core_port(), "/v1/whoami");
    let does = format!("os.remove('{}')", pki.text("sslkeys/web-public.pem"));
    for version in ["TLSv1_3", "TLSv1_2"] {
        pki.list("web");
        let gone = json!([403, "public_key_removed"]);
        let (granted, resumed) = (json!([200, null]), json!(true));
        assert_eq!(
            resumption::answers(&pki, asked, version, &does),
            json!([granted, granted, resumed, gone, gone, gone, resumed]),
            "{version}"
        );
    }
    pki.list("web");
    assert_eq!(whoami(&core, &pki, "web").status, 200, "it counts again at once");
}

#[test]
fn a_key_without_its_certificate_or_a_certificate_without_its_key_is_nobody() {
    let pki = Pki::new();
    pki.client("web");
    pki.key("thief", "P-256");
    let core = Doorward::core(&pki.core(""));
    // Curl refuses such a pair; s_client does not sign with a key that does not fit either.
    let pem = |name: &str| std::fs::read(pki.path(name)).unwrap();
    std::fs::write(pki.path("mixed.pem"), [pem("thief.key"), pem("web.crt")].concat()).unwrap();
    let url = format!("https://{}:{}/v1/whoami", realm().host("web"), core.core_port());
    let (ca, mixed) = (pki.text("ca.crt"), pki.text("mixed.pem"));
    let failed = crate::lab::clients::try_curl(None, &["--cacert", &ca, "--cert", &mixed, &url]);
    assert!(failed.is_err(), "{failed:?}");
    let nobody = ask(&core, &pki, None, "GET", "/v1/whoami", None).json();
    assert_eq!(nobody, json!({"peer": "anonymous", "uid": null, "key": null, "as": null}));
}

#[test]
fn a_silent_client_holds_nobody_up_and_is_left() {
    let pki = Pki::new();
    pki.client("web");
    let core = Doorward::core(&pki.core(""));
    let mut silent: Vec<Raw> = (0..200).map(|_| Raw::connect(core.core_port())).collect();
    for raw in &mut silent[100..] {
        // The beginning of a handshake.
        raw.send([0x16, 0x03, 0x01, 0x02, 0x00, 0x01]);
    }
    assert_eq!(whoami(&core, &pki, "web").status, 200);
    assert!(silent.iter_mut().all(Raw::closed));
}

#[test]
fn what_a_certificate_names_is_never_fetched() {
    let pki = Pki::new();
    let canary = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let url = format!("http://{}/list", canary.local_addr().unwrap());
    pki.key("lure", "P-256");
    let lure = format!(
        "{CLIENT}crlDistributionPoints=URI:{url}\nauthorityInfoAccess=OCSP;URI:{url},caIssuers;URI:{url}\n"
    );
    pki.issue("lure", "ca", &lure);
    pki.list("lure");
    let core = Doorward::core(&pki.core(""));
    assert_eq!(whoami(&core, &pki, "lure").status, 200);
    pki.authority("other");
    pki.issue("lure", "other", &lure);
    assert_eq!(refused(&core, &pki, "lure"), "certificate_no_chain");
    assert!(canary.accept().is_err(), "somebody came");
}

//! Authorities and certificates of every odd form, at core, front and the commands.

use std::fs;
use std::process::Command;

use crate::core::tls::ask;
use crate::gateway::Setup;
use crate::lab::pki::CLIENT;
use crate::lab::{Doorward, Pki, curl, realm};

const ENTRY: &str = "[[core.key]]\nfile = \"web-public.pem\"\nact_as = [\"alice\"]\n";

/// Makes `ca` anew with these extensions, and lets it issue `web.pem`.
fn made_by(extensions: &str) -> Pki {
    let pki = Pki::new();
    fs::write(pki.path("own.ext"), extensions).unwrap();
    pki.openssl(&["req", "-new", "-key", "ca.key", "-subj", "/CN=ca", "-out", "ca.csr"]);
    let sign = ["x509", "-req", "-in", "ca.csr", "-signkey", "ca.key", "-days", "30"];
    pki.openssl(&[&sign[..], &["-extfile", "own.ext", "-out", "clients.crt"]].concat());
    pki.client("web");
    pki
}

#[test]
fn an_authority_that_may_not_issue_is_refused_at_core_and_front_and_the_commands_say_why() {
    let cases = [
        ("basicConstraints=CA:TRUE\nkeyUsage=keyCertSign\n", None),
        ("basicConstraints=CA:TRUE\nkeyUsage=digitalSignature\n", Some("keyCertSign")),
        ("basicConstraints=CA:FALSE\nkeyUsage=keyCertSign\n", Some("CA:FALSE")),
    ];
    for (extensions, why) in cases {
        let pki = made_by(extensions);
        let clients = pki.text("clients.crt");
        let core = pki.core(ENTRY).replace(&pki.text("ca.crt"), &clients);
        let reason = why.map(|_| "certificate_authority");
        let running = Doorward::core(&core);
        let answer = ask(&running, &pki, Some("web"), "GET", "/v1/whoami", None).json();
        assert_eq!(answer["reason"].as_str(), reason, "{extensions}: {answer}");

        let front = format!("client_ssl_ca_file = \"{clients}\"");
        let setup = Setup {
            front: Box::leak(front.into_boxed_str()),
            sso: "mechanisms = [\"certificate\"]",
            core: Box::leak(
                format!("sslkeys_path = \"{}\"\n{ENTRY}", pki.text("sslkeys")).into_boxed_str(),
            ),
            ..Setup::default()
        };
        let gateway = setup.start();
        let url = gateway.doorward.https_url("/");
        let answer = curl(None, &["--insecure", "--cert", &pki.text("web.pem"), &url]);
        match reason {
            None => assert_eq!(answer.status, 200, "{answer:?}"),
            Some(reason) => {
                assert_eq!((answer.status, &answer.json()["error"]), (403, &reason.into()));
            }
        }

        let Some(why) = why else { continue };
        let checked = Doorward::run(&["check"], &core);
        let said = String::from_utf8_lossy(&checked.stdout).into_owned();
        let line = said.lines().find(|line| line.starts_with("FAIL  core authorities:"));
        assert!(line.is_some_and(|line| line.contains(why)), "{said}");
        let shown = Command::new(env!("CARGO_BIN_EXE_doorward"))
            .args(["cert", "show", &clients])
            .output()
            .unwrap();
        let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
        assert!(
            shown.contains("is not accepted as an authority's") && shown.contains(why),
            "{shown}"
        );
    }
}

#[test]
fn a_certificate_of_version_1_is_a_clients_and_the_log_says_that_it_is_old() {
    let pki = Pki::new();
    pki.key("web", "2048");
    pki.issue("web", "ca", "");
    pki.list("web");
    let core = Doorward::core(&pki.core(ENTRY));
    for version in ["--tlsv1.2", "--tlsv1.3"] {
        let url = format!("https://{}:{}/v1/whoami", realm().host("web"), core.core_port());
        let (ca, pem) = (pki.text("ca.crt"), pki.text("web.pem"));
        let max = version.replace("--tlsv", "");
        let answer =
            curl(None, &["--cacert", &ca, "--cert", &pem, version, "--tls-max", &max, &url]);
        assert_eq!(answer.json()["as"], "alice", "{version}: {answer:?}");
    }
    core.wait_log("the warning", |line| {
        line["level"] == "WARN" && line.to_string().contains("X.509 version 1")
    });
    // Without being listed it is nothing; and nobody is admitted by it.
    pki.unlist("web");
    let answer = ask(&core, &pki, Some("web"), "GET", "/v1/whoami", None).json();
    assert_eq!(answer["reason"], "public_key_removed");
}

#[test]
fn every_block_of_a_file_of_authorities_is_read_or_named() {
    let pki = Pki::new();
    pki.authority("other");
    pki.key("web", "P-256");
    pki.issue("web", "ca", CLIENT);
    pki.list("web");
    let read = |name: &str| fs::read_to_string(pki.path(name)).unwrap();
    let (ca, other) = (read("ca.crt"), read("other.crt"));
    let config = pki.core(ENTRY).replace(&pki.text("ca.crt"), &pki.text("bundle.pem"));
    for bundle in [
        format!("\u{feff}{ca}{other}"),
        format!("   {ca}{other}"),
        format!("Our CA\n======\n{}{other}", ca.replace('\n', "\r\n")),
    ] {
        fs::write(pki.path("bundle.pem"), bundle).unwrap();
        let core = Doorward::core(&config);
        let answer = ask(&core, &pki, Some("web"), "GET", "/v1/whoami", None).json();
        assert_eq!(answer["as"], "alice", "{answer}");
    }
    pki.openssl(&["x509", "-in", "ca.crt", "-trustout", "-out", "trusted.crt"]);
    for (bundle, words) in [
        (format!("{other}{}", read("trusted.crt")), "TRUSTED CERTIFICATE"),
        (format!("{other}{}", &ca[..ca.len() - 40]), "has no end"),
        (format!("{other}{}", ca.replacen("-----BEGIN", "---BEGIN", 1)), "looks like the border"),
    ] {
        fs::write(pki.path("bundle.pem"), bundle).unwrap();
        for command in ["core", "check"] {
            let done = Doorward::run(&[command], &config);
            let said = [done.stdout, done.stderr].concat();
            let said = String::from_utf8_lossy(&said);
            assert!(!done.status.success() && said.contains(words), "{command}: {said}");
            assert!(said.contains("bundle.pem"), "{said}");
        }
    }
}

//! `doorward check` finds what would keep people from signing on.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::gateway::{Gateway, Setup};
use crate::lab::doorward::program;
use crate::lab::{Doorward, Pki, install, realm, temp_dir};

mod applications;
mod followed;
mod kerberos;
mod ntlm;
mod report;
mod store;

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// The finding of a check, by its name, out of a report in JSON.
#[track_caller]
fn finding(output: &Output, check: &str) -> Value {
    let report: Vec<Value> = serde_json::from_slice(&output.stdout).unwrap();
    let found = report.iter().find(|finding| finding["check"] == check);
    found.unwrap_or_else(|| panic!("no {check} in {report:#?}")).clone()
}

#[track_caller]
fn check_with(keytab: &Path) -> Output {
    let setup = Setup { keytab: Some(keytab.to_owned()), ..Setup::default() };
    Doorward::run(&["check", "--json"], &setup.config(1))
}

/// The report of a check that `nobody` makes.
#[track_caller]
fn check_as_nobody(config: &str) -> Output {
    let folder = temp_dir("nobody-");
    // The user may not be let into the directory where the program was built.
    let copy = folder.path().join("doorward");
    install(program().get_program().as_ref(), &copy);
    let file = folder.path().join("doorward.toml");
    std::fs::write(&file, config).unwrap();
    let mut check = Command::new("setpriv");
    check.args(["--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]).arg(copy);
    check.args(["check", "--json", "--config"]).arg(file);
    check.env("XDG_STATE_HOME", folder.path()).output().unwrap()
}

#[test]
fn beside_a_running_gateway_nothing_fails() {
    let gateway = Gateway::start();
    let config = gateway.doorward.dir().join("doorward.toml");
    let output = program().arg("check").arg("--config").arg(config).output().unwrap();
    let said = text(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("ok    keytab: "), "{said}");
    assert!(said.contains("ok    kerberos: "), "{said}");
    assert!(said.contains("ok    kdc: a KDC of LAB.EXAMPLE answers"), "{said}");
    assert!(said.contains("ok    core: it answers at "), "{said}");
    assert!(said.contains("as SYSTEM"), "{said}");
    assert!(said.contains("ok    upstream: "), "{said}");
}

#[test]
fn a_kdc_that_is_gone_is_a_warning_because_tickets_need_none() {
    let dir = temp_dir("krb5-");
    let (config, krb5) = (dir.path().join("doorward.toml"), dir.path().join("krb5.conf"));
    let state = dir.path().join("state");
    let text = Setup::default().config(1).replace("{dir}", dir.path().to_str().unwrap());
    std::fs::write(&config, format!("state_path = {state:?}\n{text}")).unwrap();
    let gone =
        "[realms]\nLAB.EXAMPLE = {\nkdc = 127.0.0.1:1\n}\n[libdefaults]\ndns_lookup_kdc = false\n";
    std::fs::write(&krb5, gone).unwrap();
    let mut check = program();
    check.env("KRB5_CONFIG", &krb5).args(["check", "--json", "--config"]).arg(&config);
    let kdc = finding(&check.output().unwrap(), "kdc");
    assert_eq!(kdc["status"], "warn", "{kdc}");
    assert!(kdc["found"].as_str().unwrap().contains("passwords of LAB.EXAMPLE"), "{kdc}");
}

#[test]
fn a_missing_keytab_fails_with_its_mend() {
    let output = check_with(Path::new("/nonexistent/web.keytab"));
    assert_eq!(output.status.code(), Some(1));
    let keytab = finding(&output, "keytab");
    assert_eq!(keytab["status"], "FAIL");
    assert_eq!(keytab["found"], "/nonexistent/web.keytab does not exist");
    assert!(keytab["mend"].as_str().is_some_and(|mend| mend.contains("export")), "{keytab}");
}

#[test]
fn a_keytab_that_everybody_can_read_fails() {
    let dir = temp_dir("keytab-");
    let copy = dir.path().join("web.keytab");
    std::fs::copy(&realm().web_keytab, &copy).unwrap();
    std::fs::set_permissions(&copy, PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(finding(&check_with(&copy), "keytab mode")["status"], "FAIL");
}

#[test]
fn a_keytab_with_rc4_keys_only_is_warned_about() {
    let service = realm().add_service("dated");
    let output = check_with(&realm().rc4_keytab(&service));
    let encryption = finding(&output, "encryption");
    assert_eq!(encryption["status"], "warn");
    assert!(encryption["found"].as_str().unwrap().contains("HTTP/dated.lab.example@LAB.EXAMPLE"));
}

#[test]
fn an_application_that_is_down_fails() {
    assert_eq!(finding(&check_with(&realm().web_keytab), "upstream")["status"], "FAIL");
}

#[test]
fn an_acceptor_without_keys_fails() {
    let config = format!(
        "[sso.kerberos]\nkeytab = \"{}\"\nacceptor = \"HTTP/elsewhere.lab.example\"\n",
        realm().web_keytab.display()
    );
    let output = Doorward::run(&["check", "--json"], &config);
    assert_eq!(finding(&output, "acceptor")["status"], "FAIL");
}

#[test]
fn all_that_is_wrong_with_a_configuration_is_shown_at_once() {
    let output = Doorward::run(&["check"], "[front]\nlisten = 3\nlisten_tsl = []\n");
    assert_eq!(output.status.code(), Some(78));
    let said = text(&output);
    assert!(said.contains("front.listen: ") && said.contains("listen_tls"), "{said}");
    let (last, lines) = said
        .lines()
        .rev()
        .collect::<Vec<_>>()
        .split_first()
        .map(|(last, lines)| (*last, lines.to_vec()))
        .unwrap();
    assert!(lines.iter().all(|line| line.starts_with("FAIL  configuration: ")), "{said}");
    assert_eq!(last, format!("0 ok, 0 warnings, {} failed", lines.len()));
}

#[test]
fn keys_without_entry_and_files_that_are_skipped_are_warned_about() {
    let pki = Pki::new();
    for name in ["free", "webapp"] {
        pki.client(name);
    }
    std::fs::write(pki.path("sslkeys/README"), "keys go here").unwrap();
    let entries = "[[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"*\"]\n\
                   [[core.key]]\nfile = \"gone-public.pem\"\nrole = \"front\"\n";
    for (free, line) in [
        ("", "its holder may do nothing"),
        ("keys_without_entry = \"system\"\n", "its holder is SYSTEM"),
    ] {
        let output = Doorward::run(&["check"], &pki.core(&format!("{free}{entries}")));
        let said = String::from_utf8_lossy(&output.stdout);
        for line in [
            &format!("warn  keys: free-public.pem (ECDSA P-256) has no [[core.key]]: {line}"),
            "ok    keys: webapp-public.pem (ECDSA P-256) may act as *",
            "warn  keys: README is skipped: it contains no public key",
            "FAIL  keys: [[core.key]] names gone-public.pem, but there is no such file in",
        ] {
            assert!(said.lines().any(|found| found.starts_with(line)), "{line}\n{said}");
        }
    }
}

#[test]
fn a_port_that_takes_root_is_no_fault_of_the_configuration() {
    let output = check_as_nobody("[front]\nlisten = [\"127.0.0.1:80\"]\n");
    let socket = finding(&output, "socket");
    assert_eq!(socket["status"], "warn", "{socket}");
    assert!(socket["found"].as_str().unwrap().contains("this user may not bind"));
    assert!(socket["mend"].as_str().unwrap().contains("CAP_NET_BIND_SERVICE"), "{socket}");
}

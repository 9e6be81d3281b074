//! What the check hears of the KDC: no false alarm, and no long wait.

use std::net::{TcpListener, UdpSocket};
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use crate::gateway::Setup;
use crate::lab::doorward::program;
use crate::lab::{Ticket, free_port, realm, temp_dir, timed};

/// Checks a gateway whose one site has this host.
fn check(host: &str, keytab: PathBuf, ticket: Option<&Ticket>, env: &[(&str, &str)]) -> Output {
    let dir = temp_dir("check-");
    let setup = Setup { keytab: Some(keytab), ..Setup::default() };
    let config = setup.config(1).replace("host = \"*\"", &format!("host = \"{host}\""));
    let config = config.replace("{dir}", dir.path().to_str().unwrap());
    let file = dir.path().join("doorward.toml");
    let state = dir.path().join("state");
    std::fs::write(&file, format!("state_path = \"{}\"\n{config}", state.display())).unwrap();
    let mut command = program();
    command.arg("check").arg("--config").arg(file);
    command.env("KRB5CCNAME", "FILE:/nonexistent/cache");
    if let Some(ticket) = ticket {
        command.env("KRB5CCNAME", &ticket.ccache);
    }
    command.envs(env.iter().copied()).output().unwrap()
}

/// What it says of Kerberos.
fn said(output: &Output) -> Vec<String> {
    let about = ["service", "key", "key version", "encryption", "ticket", "kdc", "clock", "realms"];
    let text = String::from_utf8_lossy(&output.stdout);
    let lines = text.lines().filter(|line| {
        let check = line.get(6..).and_then(|rest| rest.split(':').next());
        check.is_some_and(|check| about.contains(&check))
    });
    lines.map(str::to_owned).collect()
}

#[track_caller]
fn has(lines: &[String], words: &[&str]) {
    let all = |line: &&String| words.iter().all(|word| line.contains(word));
    assert!(lines.iter().any(|line| all(&line)), "{words:?}\n{}", lines.join("\n"));
}

#[track_caller]
fn all_well(lines: &[String]) {
    let bad: Vec<_> = lines.iter().filter(|line| !line.starts_with("ok ")).collect();
    assert!(bad.is_empty(), "{bad:#?}");
}

#[test]
fn a_machine_account_s_keys_serve_every_name_of_the_host() {
    let keytab = realm().keytab_of("DC1$");
    let lines = said(&check(&realm().host("dc1"), keytab, None, &[]));
    all_well(&lines);
    has(&lines, &["a ticket of LAB.EXAMPLE for HTTP/dc1.lab.example", "opens with the keytab"]);
}

#[test]
fn one_name_of_an_account_stands_for_the_others() {
    let whole = std::fs::read(&realm().web_keytab).unwrap();
    // Exported under the first name alone.
    let keytab = realm().keytab_of("HTTP/web.lab.example");
    assert!(std::fs::read(&keytab).unwrap().len() < whole.len());
    let alice = realm().ticket("alice");
    let lines = said(&check(&realm().host("alias"), keytab.clone(), Some(&alice), &[]));
    all_well(&lines);
    has(&lines, &["HTTP/alias.lab.example", "with the key of another name of its account"]);
    // Without a ticket it cannot be known.
    let lines = said(&check(&realm().host("alias"), keytab, None, &[]));
    has(&lines, &["warn", "no key of HTTP/alias.lab.example"]);
    has(&lines, &["ok", "ticket", "run kinit, as any user of the domain"]);
}

#[test]
fn realms_that_do_not_trust_each_other_are_asked_each_for_its_own() {
    for ticket in [None, Some(realm().ticket("alice"))] {
        let keytab = realm().both_keytab.clone();
        let lines = said(&check(&realm().host("web"), keytab, ticket.as_ref(), &[]));
        all_well(&lines);
        has(&lines, &["a ticket of MIT.EXAMPLE for HTTP/web.lab.example"]);
    }
}

#[test]
fn an_account_s_own_key_that_is_outdated_is_told_without_any_ticket() {
    let service = realm().add_service("ownkey");
    let keytab = realm().keytab_of("svc-ownkey");
    all_well(&said(&check(&service.host, keytab.clone(), None, &[])));
    realm().rotate_key(&service);
    let lines = said(&check(&service.host, keytab, None, &[]));
    has(&lines, &["FAIL", "does not accept the keytab's key of svc-ownkey@LAB.EXAMPLE (kvno 3)"]);
}

#[test]
fn a_kdc_that_never_answers_costs_seconds() {
    // Nobody reads what comes, nor takes a connection.
    let port = free_port();
    let _deaf = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let _mute = UdpSocket::bind(("127.0.0.1", port)).unwrap();
    let dir = temp_dir("krb5-");
    let conf = dir.path().join("krb5.conf");
    let text = format!(
        "[libdefaults]\ndns_lookup_kdc = false\n[realms]\nLAB.EXAMPLE = {{\nkdc = 127.0.0.1:{port}\n}}\n"
    );
    std::fs::write(&conf, text).unwrap();
    let env = [("KRB5_CONFIG", conf.to_str().unwrap())];
    let keytab = realm().web_keytab.clone();
    let (output, time) = timed(|| check(&realm().host("web"), keytab, None, &env));
    has(&said(&output), &["warn", "kdc", "no answer within 6 s"]);
    assert!(time < Duration::from_secs(40), "{time:?}");
}

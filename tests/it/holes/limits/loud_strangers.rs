//! What strangers can provoke is said aloud once in a while, and in few words.

use crate::gateway::{Gateway, web};
use crate::lab::ntlm::Login;
use crate::lab::{LIMIT, wait_until};
use crate::ntlm::Ntlm;

#[test]
fn a_fault_that_clients_provoke_is_an_error_once_and_told_quietly_then() {
    let gateway = Ntlm::start("ntlm-server-1");
    for number in 0..12 {
        let login = Login::with(&format!("BUILTIN\\someone{number}"), "wrong");
        let answer = gateway.log_in(&login);
        assert!(matches!(answer.status, 401 | 503), "{answer:?}");
    }
    let of = |level: &str| {
        let told = |line: &serde_json::Value| line["level"] == level && line["reason"].is_string();
        let log = gateway.doorward.log();
        let told = log.iter().filter(|line| told(line) && line["reason"] != "exchange_open");
        told.map(|line| line["reason"].to_string()).collect::<Vec<_>>()
    };
    wait_until(LIMIT, "a line for each", || {
        (of("ERROR").len() + of("INFO").len() >= 12).then_some(())
    });
    let mut errors = of("ERROR");
    let all = errors.len();
    errors.dedup();
    assert_eq!(errors.len(), all, "each reason once: {errors:?}");
}

#[test]
fn what_a_stranger_writes_is_cut_in_log_and_audit_and_forges_no_line() {
    let gateway = Gateway::start();
    let host = format!("{}.example", "x".repeat(200));
    let path = format!("/{}%0a%1b[2J", "y".repeat(60_000));
    let mut connection = gateway.connect();
    connection.get(&host, &path, &[("Authorization", "Negotiate AAAA")]);
    let many: String = (0..2_000).map(|number| format!("Negotiate {number},")).collect();
    gateway.connect().get(&web(), "/", &[("Authorization", &many)]);
    gateway.doorward.wait_audit("the refusals", |line| line["event"] == "sign_on");
    for line in gateway.doorward.log().iter().chain(&gateway.doorward.audit()) {
        assert!(line.to_string().len() < 32_768, "{}", line.to_string().len());
    }
    let audit = gateway.doorward.audit();
    assert!(audit.iter().any(|line| {
        line["site"].as_str().is_some_and(|site| site.len() < 600 && site.contains("[cut: "))
    }));
}

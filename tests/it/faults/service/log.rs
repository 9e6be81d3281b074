//! The log: what a page's reference leads to, and what each level shows.

use serde_json::Value;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::{Doorward, curl, realm, servers};

fn lines<'a>(log: &'a [Value], reason: &str) -> Vec<&'a Value> {
    log.iter().filter(|line| line["reason"] == reason).collect()
}

#[test]
fn the_reference_of_a_page_is_in_the_log_once_a_host_and_client_and_minute() {
    let gateway = Gateway::start();
    let page = |host: &str| {
        let answer = gateway.connect().get(host, "/", &[("Accept", "text/html")]);
        assert_eq!(answer.status, 401);
        let text = answer.text();
        let (_, rest) = text.split_once("Reference <b>").unwrap();
        rest.split_once("</b>").unwrap().0.to_owned()
    };
    let first = page(&web());
    let line = gateway.doorward.wait_log("the reference", |line| line["reference"] == *first);
    assert_eq!((&line["level"], &line["reason"]), (&"INFO".into(), &"no_credentials".into()));
    assert_eq!(page(&web()), first, "the next page leads to the same line");
    let other = page("other.lab.example");
    gateway.doorward.wait_log("another host's", |line| line["reference"] == *other);
    let log = gateway.doorward.log();
    assert_eq!(lines(&log, "no_credentials").len(), 2, "{log:?}");
}

#[test]
fn debug_shows_each_step_of_a_sign_on_and_no_frames() {
    let config = Setup::default().config(servers::app().port);
    let config = format!(
        "{config}\n[log]\nlevel = \"debug\"\nformat = \"json\"\naudit = \"{{dir}}/audit\"\n"
    );
    let app = servers::app();
    let gateway = Gateway { doorward: Doorward::serve(&config), app };
    let alice = realm().ticket("alice");
    let url = gateway.doorward.https_url("/.doorward/whoami");
    let answer = curl(Some(&alice), &["--insecure", "--http2", &url]);
    assert_eq!((answer.status, answer.version.as_str()), (200, "2"), "{answer:?}");
    let said = |words: &str| {
        gateway.doorward.wait_log(words, |line| {
            line["level"] == "DEBUG" && line["message"].as_str().unwrap_or_default().contains(words)
        })
    };
    let request = said("a request");
    assert_eq!((&request["host"], &request["tls"]), (&web().into(), &true.into()));
    assert_eq!(said("a token came")["mechanism"], "negotiate");
    assert_eq!(said("proven")["principal"], format!("alice@{}", realm().name));
    assert_eq!(said("signed on")["login"], "alice");
    let log = gateway.doorward.log();
    let foreign: Vec<_> = log
        .iter()
        .filter(|line| {
            let target = line["target"].as_str().unwrap_or_default();
            line["level"] == "DEBUG" && !target.starts_with("doorward")
        })
        .collect();
    assert!(foreign.is_empty(), "{foreign:?}");
    let text = format!("{log:?}");
    let cookie = answer.header("set-cookie").unwrap();
    let secret = cookie.split(['=', ';']).nth(1).unwrap();
    assert!(!text.contains(secret), "no level shows secrets");
}

#[test]
fn strangers_cannot_fill_the_log_with_errors() {
    let gateway = Gateway::start();
    let tokens = realm().fresh_ticket("alice", &[]).unwrap().tokens(&realm().host("other"), 5);
    for token in &tokens {
        assert_eq!(gateway.send_token(token).json()["error"], "key_missing");
    }
    gateway.doorward.wait_log("all five", |line| line["reason"] == "key_missing");
    crate::lab::wait_until(crate::lab::LIMIT, "five lines", || {
        (lines(&gateway.doorward.log(), "key_missing").len() == 5).then_some(())
    });
    let log = gateway.doorward.log();
    let loud: Vec<_> =
        lines(&log, "key_missing").into_iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(loud.len(), 1, "{log:?}");
}

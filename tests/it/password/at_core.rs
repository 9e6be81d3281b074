//! Passwords at the core's own door, and the KDC that judges them.

use std::process::Command;
use std::time::Duration;

use doorward::clock;
use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::{Core, LISTED, config, config_with};
use crate::core::tls;
use crate::gateway::{Gateway, web};
use crate::lab::{Doorward, Kdc, Pki, curl, realm};

#[test]
fn the_right_password_signs_on_however_the_name_is_spelt() {
    let core = Doorward::core(&config(LISTED));
    let mut socket = Core::connect(&core.core_socket());
    let password = realm().password("alice");
    for name in
        ["alice", "Alice", "alice@LAB.EXAMPLE", "ALICE@lab.example", r"LAB\alice", r"lab\Alice"]
    {
        let (status, session) = socket.password(name, password);
        assert_eq!(
            (status, &session["user"]["login"]),
            (201, &json!("alice")),
            "{name}: {session}"
        );
        assert_eq!(session["mechanism"], "password");
    }
    let (status, session) = socket.password("jürgen", realm().password("jürgen"));
    assert_eq!((status, &session["user"]["login"]), (201, &json!("jürgen")), "{session}");
    let line = core.wait_audit("alice", |line| line["login"] == "alice");
    assert_eq!((&line["outcome"], &line["mechanism"]), (&json!("granted"), &json!("password")));
    let everything = std::fs::read_to_string(core.dir().join("audit")).unwrap();
    assert!(!everything.contains(password));
    assert!(!format!("{:?}", core.log()).contains(password));
}

#[test]
fn every_refusal_is_one_answer_at_one_time_and_its_reason_stands_in_the_audit_log() {
    let realm = realm();
    let expired = realm.add_user("mustchange");
    let samdb = realm.dir.join("ad/private/sam.ldb");
    let must_change = Command::new("samba-tool")
        .args(["user", "setpassword", "mustchange", "--must-change-at-next-login"])
        .arg(format!("--newpassword={expired}"))
        .arg(format!("--configfile={}", realm.smb_conf.display()))
        .arg("-H")
        .arg(samdb)
        .output()
        .unwrap();
    assert!(must_change.status.success(), "{must_change:?}");
    let core = Doorward::core(&config(LISTED));
    let mut socket = Core::connect(&core.core_socket());
    let long = "x".repeat(1025);
    let mit = format!("alice@{}", realm.mit_name);
    let mut answers = Vec::new();
    for (name, password, reason) in [
        ("alice", "wrong", "wrong_password"),
        ("nobody-of-this-name", "wrong", "unknown_user"),
        ("carol", realm.password("carol"), "account_disabled"),
        ("mustchange", &expired, "password_expired"),
        ("alice", "", "empty_password"),
        ("alice", &long, "password_too_long"),
        ("alice", "nul\0nul", "wrong_password"),
        ("SYSTEM", "any", "reserved_name"),
        ("alice/admin", "any", "odd_principal"),
        ("", "any", "odd_principal"),
        (&mit, realm.password(&mit), "realm_not_allowed"),
        (r"OTHER\alice", realm.password("alice"), "realm_not_allowed"),
    ] {
        let began = clock::instant();
        let (status, mut said) = socket.password(name, password);
        let took = began.elapsed();
        assert_eq!(status, 401, "{name:?} {reason}: {said}");
        // Whatever was to be done, it was not answered before the first full step.
        assert!(took >= Duration::from_millis(300), "{name:?} {reason}: {took:?}");
        let reference = said.as_object_mut().unwrap().remove("reference").unwrap();
        let line = core.wait_audit(reason, |line| line["reference"] == reference);
        assert_eq!(line["reason"], reason, "{name:?}: {line}");
        answers.push(said);
    }
    assert!(answers.iter().all(|said| *said == answers[0]), "{answers:?}");
    assert_eq!(answers[0]["error"], "logon_failed");
}

#[test]
fn a_password_is_checked_for_every_peer_and_beside_nothing_else() {
    let gateway = Gateway::start();
    let socket = gateway.doorward.core_socket();
    let ask = |uid: Option<&str>, body: Value| {
        let body = body.to_string();
        let args = ["--unix-socket", socket.to_str().unwrap(), "--data", &body];
        let args = [&args[..], &["http://core/v1/sessions"]].concat();
        match uid {
            Some(uid) => crate::lab::clients::curl_as(uid, &args),
            None => curl(None, &args),
        }
    };
    let right = json!({"user": "alice", "password": realm().password("alice")});
    // The core's own uid needs no password; one that it sends counts all the same.
    for uid in [None, Some("nobody")] {
        assert_eq!(ask(uid, right.clone()).status, 201, "{uid:?}");
        assert_eq!(ask(uid, json!({"user": "alice", "password": "wrong"})).status, 401, "{uid:?}");
    }
    for odd in [
        json!({"password": "x"}),
        json!({"user": "alice", "password": "x", "trusted": true}),
        json!({"user": "alice", "password": 7}),
    ] {
        assert_eq!(ask(None, odd.clone()).status, 400, "{odd}");
    }
    let act_as = json!({"user": "alice", "password": realm().password("alice"), "act_as": "bob"});
    assert_eq!(ask(Some("nobody"), act_as).status, 403);
}

#[test]
fn over_tls_a_password_is_enough_with_a_key_or_without() {
    let pki = Pki::new();
    for name in ["webapp", "gate"] {
        pki.client(name);
    }
    let keys = "[[core.key]]\nfile = \"webapp-public.pem\"\nact_as = [\"mary\"]\n\
                [[core.key]]\nfile = \"gate-public.pem\"\nrole = \"front\"\n";
    let keytab = format!("[sso.kerberos]\nkeytab = \"{}\"\n", realm().web_keytab.display());
    let core = Doorward::core(&pki.core(&format!("{keys}{keytab}")));
    let right = json!({"user": "alice", "password": realm().password("alice"), "basic": true});
    let wrong = json!({"user": "alice", "password": "wrong"});
    for (name, mechanism) in
        [(None, "password"), (Some("webapp"), "password"), (Some("gate"), "basic")]
    {
        let ask =
            |body: &Value| tls::ask(&core, &pki, name, "POST", "/v1/sessions", Some(body.clone()));
        let opened = ask(&right);
        assert_eq!(opened.status, 201, "{name:?}: {opened:?}");
        // Only a front is believed that the password came by HTTP.
        assert_eq!(opened.json()["mechanism"], mechanism, "{name:?}");
        let refused = ask(&wrong);
        assert_eq!(refused.status, 401, "{name:?}: {refused:?}");
        assert_eq!(refused.json().get("reason"), None, "{name:?}");
    }
}

#[test]
fn a_kdc_that_cannot_open_our_keytab_signs_nobody_on() {
    let rogue = Kdc::start(
        "LAB.EXAMPLE",
        &format!("HTTP/{}", web()),
        &[("alice", "chosen-by-the-impostor"), ("mallory", "m")],
    );
    assert!(rogue.gives_ticket("alice", "chosen-by-the-impostor"), "the impostor works");
    let config_file = rogue.krb5_config.to_str().unwrap();
    let core = Doorward::start("core", &config(LISTED), &[("KRB5_CONFIG", config_file)]);
    let mut socket = Core::connect(&core.core_socket());
    let (status, said) = socket.password("alice", "chosen-by-the-impostor");
    assert_eq!((status, &said["error"]), (503, &json!("kdc_unproven")), "{said}");
    core.wait_audit("the impostor", |line| line["reason"] == "kdc_unproven");
    // With its own keytab, the same KDC is the real one: the setting alone makes the difference.
    let own = config_with(&rogue.keytab, LISTED);
    let core = Doorward::start("core", &own, &[("KRB5_CONFIG", config_file)]);
    let mut socket = Core::connect(&core.core_socket());
    assert_eq!(socket.password("alice", "chosen-by-the-impostor").0, 201);
    assert_eq!(socket.password("alice", "wrong").0, 401);
}

#[test]
fn a_kdc_that_is_slow_or_gone_is_no_wrong_password() {
    let kdc =
        Kdc::start("OWN.EXAMPLE", "HTTP/web.own.example", &[("alice", "one"), ("bob", "two")]);
    let config_file = kdc.krb5_config.to_str().unwrap();
    let own = config_with(&kdc.keytab, "");
    let mut core = Doorward::start("core", &own, &[("KRB5_CONFIG", config_file)]);
    let mut socket = Core::connect(&core.core_socket());
    assert_eq!(socket.password("alice", "one").0, 201);
    kdc.process.signal(Signal::SIGSTOP);
    let began = clock::instant();
    for (user, password) in [("bob", "two"), ("alice", "wrong")] {
        let (status, said) = socket.password(user, password);
        assert_eq!((status, &said["error"]), (503, &json!("kdc_unreachable")), "{said}");
    }
    assert!(began.elapsed() < Duration::from_secs(40), "{:?}", began.elapsed());
    // Who was right a moment ago is remembered.
    assert_eq!(socket.password("alice", "one").0, 201);
    // A thread still waits for the KDC; that holds nobody up.
    let began = clock::instant();
    assert!(core.stop().success());
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    core.restart();
    kdc.process.signal(Signal::SIGKILL);
    let mut socket = Core::connect(&core.core_socket());
    let (status, said) = socket.password("alice", "one");
    assert_eq!((status, &said["error"]), (503, &json!("kdc_unreachable")), "{said}");
}

#[test]
fn an_account_that_the_kdc_refuses_is_forgotten_at_once() {
    let password = realm().add_user("leaving");
    let core = Doorward::core(&config(LISTED));
    let mut socket = Core::connect(&core.core_socket());
    assert_eq!(socket.password("leaving", &password).0, 201);
    realm().disable("leaving");
    // Remembered for a minute, until the KDC says otherwise of the account.
    assert_eq!(socket.password("leaving", &password).0, 201);
    assert_eq!(socket.password("leaving", "another").0, 401);
    assert_eq!(socket.password("leaving", &password).0, 401);
}

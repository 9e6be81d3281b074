//! /ready, the log and the metrics say what a sign-on would meet.

use std::path::Path;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::{Doorward, LIMIT, Pki, realm, servers, temp_dir, wait_until};

fn notices(gateway: &Gateway) -> String {
    gateway.status("/ready").json()["notices"].to_string()
}

fn signs_on(gateway: &Gateway) -> bool {
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    gateway.send_token(&token).status == 200
}

#[test]
fn a_keytab_that_is_cut_off_behind_the_keys_in_use_is_said_and_does_not_count() {
    let dir = temp_dir("keytab-");
    let keytab = dir.path().join("web.keytab");
    let whole = std::fs::read(&realm().both_keytab).unwrap();
    std::fs::write(&keytab, &whole[..whole.len() - 3]).unwrap();
    let gateway = Setup { keytab: Some(keytab.clone()), ..Setup::default() }.start();
    assert!(signs_on(&gateway));
    let ready = gateway.status("/ready");
    assert_eq!((ready.status, &ready.json()["keytab"]), (200, &"ok".into()));
    assert!(notices(&gateway).contains("cut off or damaged"), "{}", notices(&gateway));
    gateway
        .doorward
        .wait_log("the notice", |line| line["event"] == "notice" && line["part"] == "keytab");

    std::fs::write(&keytab, &whole[..40]).unwrap();
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 503);
    assert!(ready.json()["keytab"].as_str().unwrap().contains("cut off"), "{}", ready.text());
    assert_eq!(gateway.metric("doorward_ready_part{part=\"keytab\"}"), 0.0);
    assert_eq!(gateway.metric("doorward_ready "), 0.0);
}

#[test]
fn what_is_broken_is_told_once_in_the_log_and_once_when_it_is_mended() {
    let dir = temp_dir("keytab-");
    let keytab = dir.path().join("web.keytab");
    let gateway = Setup { keytab: Some(keytab.clone()), ..Setup::default() }.start();
    let told = gateway.doorward.wait_log("the fault at the start", |line| {
        line["event"] == "not_ready" && line["part"] == "keytab"
    });
    assert_eq!(told["level"], "ERROR");
    assert!(told["message"].as_str().unwrap().contains(keytab.to_str().unwrap()), "{told}");
    for _ in 0..3 {
        assert_eq!(gateway.status("/ready").status, 503);
    }
    std::fs::copy(&realm().web_keytab, &keytab).unwrap();
    assert_eq!(gateway.status("/ready").status, 200);
    gateway.doorward.wait_log("its end", |line| line["event"] == "ready_again");
    let log = gateway.doorward.log();
    assert_eq!(log.iter().filter(|line| line["event"] == "not_ready").count(), 1, "{log:?}");
}

#[test]
fn a_broken_krb5_conf_is_told_by_its_line() {
    let dir = temp_dir("krb5-");
    let file = dir.path().join("krb5.conf");
    let sound = std::fs::read_to_string(&realm().krb5_config_two_realms).unwrap();
    std::fs::write(&file, &sound).unwrap();
    let app = servers::app();
    let env = [("KRB5_CONFIG", file.to_str().unwrap())];
    let config = Setup::default().config(app.port);
    let gateway = Gateway { doorward: Doorward::start("serve", &config, &env), app };
    assert_eq!(gateway.status("/ready").status, 200);

    std::fs::write(&file, format!("{sound}\n[realms]\n B = {{\n  kdc b\n }}\n")).unwrap();
    let line = sound.lines().count() + 4;
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 503, "{}", ready.text());
    let said = ready.json()["kerberos"].as_str().unwrap().to_owned();
    let wanted = format!("{}:{line}: a line without =", file.display());
    assert!(said.contains(&wanted), "{said} is not {wanted}");
    assert!(!signs_on(&gateway), "then nobody signs on");

    std::fs::write(&file, &sound).unwrap();
    wait_until(LIMIT, "ready again", || (gateway.status("/ready").status == 200).then_some(()));
    assert!(signs_on(&gateway));
}

#[test]
fn a_replay_cache_that_cannot_be_written_is_no_readiness() {
    let gateway = Gateway::start();
    assert_eq!(gateway.status("/ready").status, 200);
    let cache = gateway.doorward.dir().join("state/replay-cache");
    let _may_be_there_already = std::fs::remove_file(&cache);
    std::fs::create_dir(&cache).unwrap();
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 503);
    let said = ready.json()["replay_cache"].as_str().unwrap().to_owned();
    assert!(said.contains(&format!("remove {}", cache.display())), "{said}");
    assert!(!signs_on(&gateway), "the library cannot write it either");
    std::fs::remove_dir(&cache).unwrap();
    assert_eq!(gateway.status("/ready").status, 200);
    assert!(signs_on(&gateway));
}

#[test]
fn certificates_that_end_are_told_before_and_after() {
    let pki = Pki::new();
    pki.key("web", "P-256");
    let name = format!("subjectAltName=DNS:{}", web());
    let start = |issued: &str| {
        pki.issue_at(issued, "web", "ca", &name);
        let file = pki.text("web.pem");
        let front = format!("server_ssl_key_file = \"{file}\"");
        let config = with_front(&front);
        let app = servers::app();
        Gateway { doorward: Doorward::serve(&config.replace("{app}", &app.port.to_string())), app }
    };
    // Thirty days each.
    let gateway = start("-25 days");
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 200, "{}", ready.text());
    let said = notices(&gateway);
    assert!(said.contains("expires in 4 d") || said.contains("expires in 5 d"), "{said}");
    assert!(said.contains("issued again"), "{said}");
    gateway
        .doorward
        .wait_log("the warning", |line| line["level"] == "WARN" && line["part"] == "certificates");
    let ends = gateway.metric("doorward_certificate_end_seconds{");
    let now = doorward::clock::now().unix() as f64;
    assert!((ends - now) / 86_400.0 < 5.1 && ends > now, "{ends} {now}");

    let gateway = start("-40 days");
    let ready = gateway.status("/ready");
    assert_eq!(ready.status, 503);
    let said = ready.json()["certificates"].as_str().unwrap().to_owned();
    assert!(said.contains("CN=web") && said.contains("expired on"), "{said}");
}

fn with_front(lines: &str) -> String {
    format!(
        "[front]\nlisten = [\"127.0.0.1:0\"]\nlisten_tls = [\"127.0.0.1:0\"]\n\
         listen_status = \"127.0.0.1:0\"\n{lines}\n\
         [sso]\nmechanisms = [\"negotiate\"]\n[sso.kerberos]\nkeytab = \"{}\"\n\
         [[site]]\nhost = \"*\"\nupstream = \"http://127.0.0.1:{{app}}\"\n",
        Path::new(&realm().web_keytab).display()
    )
}

#[test]
fn a_proxy_that_nobody_listed_is_named_once() {
    let gateway = Gateway::start();
    assert_eq!(gateway.metric("doorward_unlisted_proxies "), 0.0);
    for _ in 0..3 {
        let sent = [("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "192.0.2.7")];
        gateway.connect().get(&web(), "/", &sent);
    }
    let told = gateway.doorward.wait_log("the warning", |line| line["event"] == "unlisted_proxy");
    let said = told["message"].as_str().unwrap();
    assert!(said.contains("127.0.0.1 sends X-Forwarded-Proto: https"), "{said}");
    assert!(said.contains("trusted_proxies = [\"127.0.0.1\"]"), "{said}");
    assert!(notices(&gateway).contains("127.0.0.1 sends X-Forwarded-Proto: https"));
    assert_eq!(gateway.status("/ready").status, 200, "people can sign on all the same");
    assert_eq!(gateway.metric("doorward_unlisted_proxies "), 1.0);
    assert_eq!(gateway.metric("doorward_unlisted_proxy_requests_total "), 3.0);
    let log = gateway.doorward.log();
    assert_eq!(log.iter().filter(|line| line["event"] == "unlisted_proxy").count(), 1);

    let listed = Setup { front: "trusted_proxies = [\"127.0.0.0/8\"]", ..Setup::default() }.start();
    listed.connect().get(&web(), "/", &[("X-Forwarded-Proto", "https")]);
    assert_eq!(listed.metric("doorward_unlisted_proxy_requests_total "), 0.0);
}

//! The lab itself works: each client signs on to a web server that is not Doorward.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::lab::http::Raw;
use crate::lab::{
    self, Ticket, TokenOptions, chromium, curl, java, python, realm, servers, wait_until,
};

/// Apache with mod_auth_gssapi, which answers with the user's name.
fn apache() -> servers::Server {
    let site = "ErrorDocument 401 refused\n\
        <Location />\n\
        AuthType GSSAPI\nAuthName lab\nRequire valid-user\n\
        GssapiCredStore keytab:{keytab}\nGssapiAllowedMech krb5\n\
        Header always set Signed-On-As \"expr=%{REMOTE_USER}\"\n\
        </Location>";
    let server = servers::apache(&realm().web_keytab, site);
    std::fs::write(server.dir.join("htdocs/index.html"), "<h1>let in</h1>\n").unwrap();
    server
}

fn url(server: &servers::Server) -> String {
    format!("http://{}:{}/", realm().host("web"), server.port)
}

fn alice() -> Ticket {
    realm().ticket("alice")
}

#[test]
fn alice_of_the_domain_and_alice_of_the_mit_realm_get_tickets() {
    let realm = realm();
    assert_eq!(alice().tokens("web.lab.example", 3).len(), 3);
    let other = realm.ticket(&format!("alice@{}", realm.mit_name));
    assert_eq!(other.tokens("web.lab.example", 1).len(), 1);
}

#[test]
fn a_disabled_user_gets_no_ticket() {
    let said = realm().fresh_ticket("carol", &[]).unwrap_err();
    assert!(said.contains("revoked"), "{said}");
}

#[test]
fn a_user_named_in_utf_8_gets_a_ticket() {
    assert_eq!(realm().ticket("jürgen").tokens("web.lab.example", 1).len(), 1);
}

#[test]
fn a_user_in_a_thousand_groups_sends_more_than_12_kilobytes() {
    let token = realm().ticket("dora").tokens("web.lab.example", 1).remove(0);
    assert!((12_000..14_000).contains(&token.len()), "{}", token.len());
}

#[test]
fn curl_signs_on_and_without_a_ticket_does_not() {
    let server = apache();
    let signed_on = curl(Some(&alice()), &[&url(&server)]);
    assert_eq!(signed_on.statuses(), [200], "{signed_on:?}");
    assert_eq!(signed_on.header("signed-on-as"), Some("alice@LAB.EXAMPLE"));
    let refused = curl(None, &[&url(&server)]);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("www-authenticate"), Some("Negotiate"));
}

#[test]
fn requests_gssapi_signs_on() {
    let server = apache();
    let script = format!(
        "import requests, requests_gssapi\n\
         r = requests.get('{}', auth=requests_gssapi.HTTPSPNEGOAuth())\n\
         print(r.status_code, r.headers['Signed-On-As'])",
        url(&server)
    );
    assert_eq!(python(&script, Some(&alice())).trim(), "200 alice@LAB.EXAMPLE");
}

#[test]
fn java_signs_on() {
    let server = apache();
    let answer = java(&url(&server), Some(&alice()));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("signed-on-as"), Some("alice@LAB.EXAMPLE"));
    assert!(answer.text().contains("let in"));
}

#[test]
fn chromium_signs_on_without_a_click() {
    let server = apache();
    let page = chromium(&url(&server), Some(&alice()));
    assert!(page.contains("let in"), "{page}");
    let page = chromium(&url(&server), None);
    assert!(!page.contains("let in"), "{page}");
}

#[test]
fn a_rotated_key_has_the_next_kvno_and_the_old_keytab_no_longer_serves() {
    let realm = realm();
    let service = realm.add_service("rotated");
    let fresh = realm.rotate_key(&service);
    let ticket = realm.fresh_ticket("alice", &[]).unwrap();
    let token = ticket.tokens(&service.host, 1).remove(0);
    let header = format!("Authorization: Negotiate {token}");
    for (keytab, expected) in [(&service.keytab, 401), (&fresh, 200)] {
        let site = "<Location />\nAuthType GSSAPI\nAuthName lab\nRequire valid-user\n\
            GssapiCredStore keytab:{keytab}\n</Location>";
        let server = servers::apache(keytab, site);
        let address = format!("http://{}:{}/", service.host, server.port);
        let answer = curl(None, &["-H", &header, &address]);
        assert_eq!(answer.status, expected, "{}", keytab.display());
    }
}

#[test]
fn a_token_from_a_clock_ten_minutes_ahead_is_refused() {
    let server = apache();
    let token = |clock: Option<&str>| {
        let clock = clock.map(str::to_owned);
        let options = TokenOptions { clock, ..TokenOptions::default() };
        alice().tokens_with(&realm().host("web"), 1, &options).remove(0)
    };
    for (clock, expected) in [(None, 200), (Some("+10m"), 401)] {
        let header = format!("Authorization: Negotiate {}", token(clock));
        assert_eq!(curl(None, &["-H", &header, &url(&server)]).status, expected, "{clock:?}");
    }
}

#[test]
fn a_ticket_can_be_made_that_soon_ends() {
    let ticket = realm().fresh_ticket("bob", &["-l", "1s"]).unwrap();
    let has_ended = || {
        let made = std::panic::catch_unwind(|| ticket.tokens("web.lab.example", 1));
        let said = made.err()?.downcast::<String>().unwrap();
        Some(*said).filter(|said| said.to_lowercase().contains("expired"))
    };
    wait_until(lab::LIMIT, "the end of the ticket", has_ended);
}

#[test]
fn the_kdc_refuses_a_service_name_that_stands_on_two_accounts() {
    let realm = realm();
    let service = realm.add_service("twice");
    realm.add_user("svc-second");
    let ticket = realm.fresh_ticket("alice", &[]).unwrap();
    realm.duplicate_spn(&service, "svc-second");
    let refused = std::panic::catch_unwind(|| ticket.tokens(&service.host, 1)).unwrap_err();
    let said = refused.downcast_ref::<String>().unwrap();
    assert!(said.contains("not found in Kerberos database"), "{said}");
}

#[test]
fn nginx_proxies_to_the_application_which_says_what_reached_it() {
    let app = servers::app();
    let server = lab::servers::nginx(&format!(
        "server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass http://127.0.0.1:{}; }} }}",
        app.port
    ));
    let url = format!("http://{}:{}/here?q=1", realm().host("nginx"), server.port);
    let seen = curl(None, &["-H", "One: 1", "--data", "abc", &url]).json();
    assert_eq!(seen["path"], "/here?q=1");
    assert_eq!(seen["method"], "POST");
    assert_eq!(seen["body_length"], 3);
    let headers = seen["headers"].as_array().unwrap();
    assert!(headers.contains(&serde_json::json!(["One", "1"])), "{headers:?}");
}

#[test]
fn the_application_streams_and_upgrades() {
    let app = servers::app();
    let mut raw = Raw::connect(app.port);
    assert_eq!(raw.get("app", "/stream/1", &[]).body.len(), 1024 * 1024);
    assert_eq!(raw.get("app", "/status/304", &[]).status, 304);
    assert_eq!(raw.get("app", "/setcookie", &[]).all("set-cookie").count(), 2);
    let upgrade = [("Connection", "Upgrade"), ("Upgrade", "websocket")];
    assert_eq!(raw.get("app", "/upgrade", &upgrade).status, 101);
    raw.send([0, 1, 255]);
    assert_eq!(raw.exactly(3), [0, 1, 255]);
}

//! A ticket counts at the service that it is for, whatever key opens it.

use crate::gateway::{Gateway, Setup};
use crate::lab::{Doorward, TokenOptions, realm};

fn reason(answer: &crate::lab::http::Response) -> String {
    match answer.status {
        200 => "200".to_owned(),
        _ => answer.json()["error"].as_str().unwrap().to_owned(),
    }
}

#[test]
fn names_that_share_a_key_are_told_apart_where_one_is_configured() {
    let setup = Setup::default();
    let app = crate::lab::servers::app();
    let acceptor = format!("acceptor = \"HTTP/{}\"\nkeytab = ", realm().host("alias"));
    let config = setup.config(app.port).replacen("keytab = ", &acceptor, 1);
    let gateway = Gateway { doorward: Doorward::serve(&config), app };
    let alice = realm().ticket("alice");
    for (raw, one_way) in [(false, false), (true, true)] {
        let options = TokenOptions { raw, one_way, ..TokenOptions::default() };
        let send = |host: &str| {
            reason(
                &gateway.send_token(&alice.tokens_with(&realm().host(host), 1, &options).remove(0)),
            )
        };
        assert_eq!((send("alias").as_str(), send("web").as_str()), ("200", "wrong_principal"));
    }
    let logged = gateway.doorward.wait_log("why", |line| line["reason"] == "wrong_principal");
    let said = logged.to_string();
    assert!(said.contains("HTTP/web.lab.example@LAB.EXAMPLE"), "{said}");
}

#[test]
fn without_one_only_tickets_for_http_are_taken() {
    let service = realm().add_service("mixed");
    let account = format!("svc-{}", service.name);
    realm().samba_tool(&["spn", "add", &format!("zarafa/{}", service.host), &account]);
    // The KDC finds the name in any case, and writes it as it was asked for.
    let gateway = Setup { keytab: Some(service.keytab.clone()), ..Setup::default() }.start();
    for (class, expected) in [("HTTP", "200"), ("http", "200"), ("zarafa", "wrong_principal")] {
        let options = TokenOptions { service: Some(class.to_owned()), ..TokenOptions::default() };
        let token = realm().ticket("alice").tokens_with(&service.host, 1, &options).remove(0);
        assert_eq!(reason(&gateway.send_token(&token)), expected, "{class}");
    }
}

#[test]
fn a_machine_s_own_keys_open_tickets_for_http_at_its_name() {
    let realm = realm();
    realm.add_account("gatehost$", "Pw-a-machine-0815");
    let host = realm.host("gatehost");
    realm.samba_tool(&["spn", "add", &format!("host/{host}"), "gatehost$"]);
    let keytab = realm.dir.join("gatehost.keytab");
    realm.samba_tool(&[
        "domain",
        "exportkeytab",
        keytab.to_str().unwrap(),
        "--principal=gatehost$",
    ]);
    let gateway = Setup { keytab: Some(keytab), ..Setup::default() }.start();
    let send = |class: &str| {
        let options = TokenOptions { service: Some(class.to_owned()), ..TokenOptions::default() };
        let token = realm.ticket("alice").tokens_with(&host, 1, &options).remove(0);
        reason(&gateway.send_token(&token))
    };
    assert_eq!((send("HTTP").as_str(), send("host").as_str()), ("200", "wrong_principal"));
}

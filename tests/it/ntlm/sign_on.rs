//! People without a ticket are signed on by NTLM, whatever program they use.

use crate::gateway::{Setup, cookie_of, reached, web};
use crate::lab::http::{Raw, Response};
use crate::lab::ntlm::{Login, Wrap};
use crate::lab::{TokenOptions, chromium_ntlm, curl_ntlm, python, realm};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason};

#[test]
fn curl_signs_on_by_ntlm_and_the_application_is_told_who_is_there() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let [user, password] = [r"LAB\alice", realm().password("alice")];
        let answer = curl_ntlm(user, password, &[&gateway.doorward.url("/here?q=1")]);
        assert_eq!(answer.statuses(), [401, 200], "{protocol}");
        assert_is(&answer, "alice");
        let whoami = curl_ntlm(user, password, &[&gateway.doorward.url("/.doorward/whoami")]);
        let said = whoami.json();
        assert_eq!((&said["mechanism"], &said["channel_bound"]), (&"ntlm".into(), &false.into()));
    }
}

#[test]
fn curl_signs_on_once_for_several_addresses_on_one_connection() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let signs_on = |url: &str| {
        let args = ["--insecure", "--http1.1", url, url, url];
        curl_ntlm(r"LAB\alice", realm().password("alice"), &args)
    };
    let answer = signs_on(&gateway.doorward.https_url("/"));
    assert_eq!(answer.statuses(), [401, 200, 200, 200]);
    assert_eq!(
        gateway.metric("doorward_signons_total{mechanism=\"ntlm\",outcome=\"granted\""),
        1.0
    );
    // What comes over plain HTTP from loopback may be a proxy's: curl signs on again.
    let answer = signs_on(&gateway.doorward.url("/"));
    assert_is(&answer, "alice");
    assert_eq!(answer.statuses().into_iter().filter(|status| *status == 200).count(), 3);
}

#[test]
fn ntlm_is_offered_besides_negotiate() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let answer = gateway.get(None, "/", &[]);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate", "NTLM"]);
    let only = Setup { site: "mechanisms = [\"negotiate\"]", ..Setup::default() };
    let gateway = Ntlm::start_with(PROTOCOLS[0], "", only);
    let answer = gateway.get(None, "/", &[]);
    assert_eq!(answer.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);
    assert_eq!(reason(&gateway.log_in(&Login::of("alice"))), "ntlm_sent");
}

#[test]
fn each_wrapping_signs_on() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for wrap in [Wrap::Ntlm, Wrap::Raw, Wrap::Spnego, Wrap::SecondChoice] {
            let answer = gateway.log_in(&Login { wrap, ..Login::of("alice") });
            assert_eq!(answer.status, 200, "{protocol} {wrap:?}: {}", answer.text());
            assert_is(&answer, "alice");
            // pyspnego has read it, and verified the code over the list of mechanisms.
            let wrapped = matches!(wrap, Wrap::Spnego | Wrap::SecondChoice);
            assert_eq!(answer.header("www-authenticate").is_some(), wrapped, "{wrap:?}");
        }
    }
}

#[test]
fn a_client_that_offers_kerberos_and_ntlm_is_taken_by_kerberos() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let raw = TokenOptions { raw: true, ..TokenOptions::default() };
    let ticket = realm().ticket("alice").tokens_with(&web(), 1, &raw).remove(0);
    let script = format!(
        "import base64\n\
         from spnego._context import GSSMech\n\
         from spnego._spnego import NegTokenInit\n\
         both = [GSSMech.kerberos.value, GSSMech.ntlm.value]\n\
         token = NegTokenInit(both, mech_token=base64.b64decode('{ticket}')).pack()\n\
         print(base64.b64encode(token).decode())"
    );
    let answer = gateway.send_token(python(&script, None).trim());
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    assert_eq!(reached(&answer, "Remote-Mechanism"), ["negotiate"]);
}

#[test]
fn requests_ntlm_signs_on_over_plain_http_and_bound_to_tls() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for (url, bound) in [
            (gateway.doorward.url("/.doorward/whoami"), "False"),
            (gateway.doorward.https_url("/.doorward/whoami"), "True"),
        ] {
            let script = format!(
                "import requests, urllib3\n\
                 from requests_ntlm import HttpNtlmAuth\n\
                 urllib3.disable_warnings()\n\
                 auth = HttpNtlmAuth(r'LAB\\alice', '{}')\n\
                 r = requests.get('{url}', auth=auth, verify=False)\n\
                 print(r.status_code, r.json()['user']['login'], r.json()['channel_bound'])",
                realm().password("alice")
            );
            assert_eq!(python(&script, None).trim(), format!("200 alice {bound}"), "{protocol}");
        }
    }
}

#[test]
fn chromium_without_a_ticket_signs_on_with_name_and_password() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for url in [gateway.doorward.url("/"), gateway.doorward.https_url("/")] {
            let page = chromium_ntlm(&url, r"LAB\alice", realm().password("alice"));
            assert!(page.contains(r#"["remote-user", "alice"]"#), "{protocol} {url}: {page}");
            assert!(page.contains(r#"["remote-mechanism", "ntlm"]"#), "{page}");
        }
    }
}

#[test]
fn first_messages_of_every_genuine_length_are_taken() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for length in [16, 32, 40] {
            let login = Login { first_length: Some(length), ..Login::of("alice") };
            assert_is(&gateway.log_in(&login), "alice");
        }
    }
}

/// POSTs `body` with a leg of the exchange.
fn post(connection: &mut Raw, leg: &str, body: &str) -> Response {
    connection.send(format!(
        "POST /in HTTP/1.1\r\nHost: {}\r\nAuthorization: {leg}\r\nContent-Length: {}\r\n\r\n{body}",
        web(),
        body.len()
    ));
    connection.response()
}

#[test]
fn a_post_may_be_empty_on_the_first_leg_or_whole_on_each() {
    let whole = "x".repeat(100_000);
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for at_first in ["", &whole] {
            let mut exchange = Login::of("alice").begin();
            let mut connection = gateway.connect();
            let asked = post(&mut connection, &exchange.first(), at_first);
            assert_eq!((asked.status, reason(&asked).as_str()), (401, "exchange_open"));
            let last = exchange.next(&asked).unwrap();
            let answer = post(&mut connection, &last, &whole);
            assert_is(&answer, "alice");
            assert_eq!(answer.json()["body_length"], whole.len(), "{protocol}");
        }
    }
}

#[test]
fn outlook_signs_on_once_for_hundreds_of_requests_and_again_when_it_reconnects() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for _connection in 0..2 {
            let mut connection = gateway.connect_tls();
            let answer = Login::of("alice").get(&mut connection, "/", &[]);
            assert_is(&answer, "alice");
            cookie_of(&answer);
            for _request in 0..300 {
                assert_is(&connection.get(&web(), "/", &[]), "alice");
            }
        }
        let granted =
            gateway.metric("doorward_signons_total{mechanism=\"ntlm\",outcome=\"granted\"");
        assert_eq!(granted, 2.0, "{protocol}");
    }
}

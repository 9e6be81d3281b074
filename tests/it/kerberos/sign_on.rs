//! People with a Kerberos ticket are signed on, whatever program they use.

use std::process::Command;

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::realm::TokenOptions;
use crate::lab::{chromium, java, python, realm};

#[test]
fn curl_signs_on_and_the_application_is_told_who_is_there() {
    let gateway = Gateway::start();
    let alice = realm().ticket("alice");
    let answer = gateway.get(Some(&alice), "/here?q=1", &[]);
    assert_eq!(answer.statuses(), [200], "{answer:?}");
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    assert_eq!(reached(&answer, "Remote-Mechanism"), ["negotiate"]);
    assert_eq!(reached(&answer, "Remote-Admin"), ["0"]);
    assert_eq!(reached(&answer, "Authorization"), [] as [&str; 0]);
    assert_eq!(answer.json()["path"], "/here?q=1");
}

#[test]
fn the_final_answer_proves_the_gateway_to_the_client() {
    let gateway = Gateway::start();
    let alice = realm().ticket("alice");
    let answer = gateway.get(Some(&alice), "/", &[]);
    let proof = answer.header("www-authenticate").unwrap();
    assert!(proof.starts_with("Negotiate o") && proof.len() > 100, "{proof}");
    let script = format!(
        "import requests, requests_gssapi as g\n\
         auth = g.HTTPSPNEGOAuth(mutual_authentication=g.REQUIRED)\n\
         r = requests.get('{}', auth=auth)\n\
         print(r.status_code, dict(map(tuple, r.json()['headers']))['remote-user'])",
        gateway.doorward.url("/")
    );
    assert_eq!(python(&script, Some(&alice)).trim(), "200 alice");
}

#[test]
fn java_signs_on_with_its_own_http_client() {
    let gateway = Gateway::start();
    let answer = java(&gateway.doorward.url("/"), Some(&realm().ticket("alice")));
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
}

#[test]
fn chromium_signs_on_without_a_click_on_http_and_tls() {
    let gateway = Gateway::start();
    let alice = realm().ticket("alice");
    for url in [gateway.doorward.url("/"), gateway.doorward.https_url("/")] {
        let page = chromium(&url, Some(&alice));
        assert!(page.contains(r#"["remote-user", "alice"]"#), "{page}");
    }
    let page = chromium(&gateway.doorward.https_url("/.doorward/whoami"), Some(&alice));
    assert!(page.contains("You are signed on as alice"), "{page}");
}

#[test]
fn without_a_ticket_every_client_gets_a_401_that_says_why() {
    let gateway = Gateway::start();
    let answer = gateway.get(None, "/", &[]);
    assert_eq!(answer.status, 401);
    assert_eq!(answer.all("www-authenticate").collect::<Vec<_>>(), ["Negotiate"]);
    let said = answer.json();
    assert_eq!(said["error"], "no_credentials");
    assert!(said["message"].as_str().unwrap().contains("ticket"), "{said}");
    assert_eq!(said["reference"].as_str().unwrap().len(), 8);

    let answer = java(&gateway.doorward.url("/"), None);
    assert_eq!(answer.status, 401);
    let page = chromium(&gateway.doorward.url("/"), None);
    assert!(page.contains("You are not signed on") && page.contains("ticket"), "{page}");
    let script = format!(
        "import requests\nr = requests.get('{}')\nprint(r.status_code, r.json()['error'])",
        gateway.doorward.url("/")
    );
    assert_eq!(python(&script, None).trim(), "401 no_credentials");
}

#[test]
fn bare_kerberos_tokens_are_taken_as_well_as_spnego() {
    let gateway = Gateway::start();
    let raw = TokenOptions { raw: true, ..TokenOptions::default() };
    let one_way = TokenOptions { one_way: true, ..TokenOptions::default() };
    let alice = realm().ticket("alice");
    for options in [raw, one_way] {
        let token = alice.tokens_with(&web(), 1, &options).remove(0);
        let answer = gateway.send_token(&token);
        assert_eq!(answer.status, 200, "{options:?}: {answer:?}");
        assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    }
}

#[test]
fn any_service_of_the_keytab_is_accepted_or_only_the_one_that_is_named() {
    let both = realm().dir.join("web-and-other.keytab");
    let merge = format!(
        "printf 'rkt {}\\nrkt {}\\nwkt {}\\n' | ktutil",
        realm().web_keytab.display(),
        realm().other_keytab.display(),
        both.display()
    );
    assert!(Command::new("sh").args(["-c", &merge]).status().unwrap().success());
    let alice = realm().ticket("alice");
    let token = |host: &str| alice.tokens(&realm().host(host), 1).remove(0);
    let any = Setup { keytab: Some(both.clone()), ..Setup::default() };
    let gateway = any.start();
    for host in ["web", "alias", "other"] {
        assert_eq!(gateway.send_token(&token(host)).status, 200, "{host}");
    }
    for acceptor in ["HTTP/other.lab.example", "HTTP/other.lab.example@LAB.EXAMPLE"] {
        let config = any.config(gateway.app.port).replacen(
            "keytab = ",
            &format!("acceptor = \"{acceptor}\"\nkeytab = "),
            1,
        );
        let app = crate::lab::servers::app();
        let one = Gateway { doorward: crate::lab::Doorward::serve(&config), app };
        assert_eq!(one.send_token(&token("other")).status, 200, "{acceptor}");
        let refused = one.send_token(&token("web"));
        assert_eq!(refused.status, 401, "{acceptor}: {refused:?}");
        let logged = one.doorward.wait_log("the refusal", |line| line["reason"].is_string());
        assert!(logged.to_string().contains(acceptor), "{logged}");
    }
}

#[test]
fn http_2_signs_on_with_kerberos_plain_and_on_tls() {
    let gateway = Gateway::start();
    let alice = realm().ticket("alice");
    let plain = gateway.get(Some(&alice), "/", &["--http2-prior-knowledge"]);
    assert_eq!(plain.status, 200, "{plain:?}");
    assert_eq!(reached(&plain, "Remote-User"), ["alice"]);
    let tls = gateway.get_tls(Some(&alice), "/", &["--http2"]);
    assert_eq!(tls.status, 200, "{tls:?}");
    assert!(cookie_of(&tls).starts_with("__Host-doorward="));
}

#[test]
fn a_user_in_a_thousand_groups_signs_on_over_both_versions_of_http() {
    let gateway = Setup {
        more: "[[site]]\nhost = \"*\"\npath = \"/staff\"\nupstream = \"http://127.0.0.1:1\"\n\
               require = [\"group:S-1-5-21-0-0-0-1\"]"
            .to_owned(),
        ..Setup::default()
    }
    .start();
    let dora = realm().ticket("dora");
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        let answer = gateway.get(Some(&dora), "/", &[version]);
        assert_eq!(answer.status, 200, "{version}: {answer:?}");
        assert_eq!(reached(&answer, "Remote-User"), ["dora"]);
        assert_eq!(reached(&answer, "Remote-Groups"), [] as [&str; 0]);
        let whoami = gateway.get(Some(&dora), "/.doorward/whoami", &[version]).json();
        let groups = whoami["user"]["groups"].as_array().unwrap();
        assert!(groups.len() > 1000, "{}", groups.len());
        assert!(groups.iter().all(|sid| sid.as_str().unwrap().starts_with("S-1-")));
    }
    assert_eq!(gateway.get(Some(&dora), "/staff", &[]).status, 403);
}

#[test]
fn group_sids_of_the_ticket_open_a_site_that_requires_them() {
    let gateway = Gateway::start();
    let bob = realm().ticket("bob");
    let whoami = gateway.get(Some(&bob), "/.doorward/whoami", &[]).json();
    let sids: Vec<_> = whoami["user"]["groups"]
        .as_array()
        .unwrap()
        .iter()
        .map(|sid| sid.as_str().unwrap())
        .collect();
    let alices = gateway.get(Some(&realm().ticket("alice")), "/.doorward/whoami", &[]).json();
    let alices = alices["user"]["groups"].as_array().unwrap().clone();
    let only_bobs = sids.iter().find(|sid| !alices.iter().any(|other| other == *sid)).unwrap();
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/staff\"\nupstream = \"http://127.0.0.1:{}\"\n\
         require = [\"group:{only_bobs}\"]",
        gateway.app.port
    );
    let gateway = Setup { more, ..Setup::default() }.start();
    let answer = gateway.get(Some(&bob), "/staff", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = gateway.get(Some(&realm().ticket("alice")), "/staff", &[]);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"], "requirement_not_met");
}

#[test]
fn headers_of_128_kilobytes_pass_on_both_versions_of_http() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let large: Vec<(String, String)> =
        (0..16).map(|n| (format!("x-large-{n}"), "x".repeat(8_000))).collect();
    let mut headers: Vec<(&str, &str)> = vec![("Cookie", &cookie)];
    headers.extend(large.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let answer = gateway.connect().get(&web(), "/", &headers);
    assert_eq!(answer.status, 200);
    assert_eq!(reached(&answer, "X-Large-15")[0].len(), 8_000);
    // curl cannot send more than 64 KB of headers over HTTP/2.
    let script = format!(
        "import socket, h2.connection, h2.events\n\
         s = socket.create_connection(('127.0.0.1', {port}))\n\
         c = h2.connection.H2Connection()\n\
         c.initiate_connection()\n\
         large = [(f'x-large-{{n}}', 'x' * 8000) for n in range(16)]\n\
         c.send_headers(1, [(':method', 'GET'), (':path', '/'), (':scheme', 'http'),\n\
         \x20    (':authority', '{host}'), ('cookie', '{cookie}')] + large, end_stream=True)\n\
         s.sendall(c.data_to_send())\n\
         body, ended = b'', False\n\
         while not ended:\n\
         \x20   for event in c.receive_data(s.recv(65536)):\n\
         \x20       if isinstance(event, h2.events.ResponseReceived): print(dict(event.headers)[b':status'])\n\
         \x20       if isinstance(event, h2.events.DataReceived):\n\
         \x20           body += event.data\n\
         \x20           c.acknowledge_received_data(event.flow_controlled_length, 1)\n\
         \x20       ended = ended or isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated))\n\
         \x20   s.sendall(c.data_to_send())\n\
         print(body.count(b'x-large-'))",
        port = gateway.doorward.http_port(),
        host = web(),
    );
    let said = crate::lab::python(&script, None);
    assert_eq!(said.split_whitespace().collect::<Vec<_>>(), ["b'200'", "16"]);
}

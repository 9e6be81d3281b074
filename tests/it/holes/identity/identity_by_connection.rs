//! What a connection has proven is its client's, as far as anybody can know, and
//! never that of whoever sends something else on it.

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::http::Response;
use crate::lab::ntlm::Login;
use crate::lab::{curl, curl_ntlm, java, python, realm, servers};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is};

/// nginx as a proxy that shares connections and leaves no mark.
fn silent_proxy(gateway: &Gateway) -> servers::Server {
    servers::nginx(&format!(
        "upstream d {{ server 127.0.0.1:{}; keepalive 32; }}\n\
         server {{ listen 127.0.0.1:{{port}};\n\
         location / {{ proxy_pass http://d; proxy_http_version 1.1;\n\
         proxy_set_header Host $host; proxy_set_header Connection \"\"; }} }}",
        gateway.doorward.http_port()
    ))
}

#[test]
fn behind_a_proxy_that_says_nothing_of_itself_nobody_inherits_an_identity() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let nginx = silent_proxy(&gateway);
    let url = format!("http://{}:{}/", web(), nginx.port);
    let alice = curl(Some(&realm().ticket("alice")), &[&url]);
    assert_eq!(reached(&alice, "Remote-User"), ["alice"]);
    for _ in 0..3 {
        assert_eq!(curl(None, &[&url]).status, 401, "Kerberos");
    }
    // Its messages come by one connection here, because nobody else sends any.
    let bob = curl_ntlm(r"LAB\bob", realm().password("bob"), &[&url]);
    assert_is(&bob, "bob");
    for _ in 0..3 {
        assert_eq!(curl(None, &[&url]).status, 401, "NTLM");
    }
    let ended = format!("Cookie: {}", cookie_of(&bob));
    curl(None, &["-X", "POST", "-H", &ended, &format!("{url}.doorward/logout")]);
    let answer = curl(None, &["-H", &ended, &url]);
    assert_eq!((answer.status, answer.json()["error"].as_str()), (401, Some("session_ended")));
}

#[test]
fn by_ntlm_a_connection_is_its_client_s_until_somebody_else_seems_to_speak() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let signed_on = || {
        let mut connection = gateway.connect_tls();
        let answer = Login::of("alice").get(&mut connection, "/", &[("User-Agent", "one/1")]);
        assert_is(&answer, "alice");
        (connection, cookie_of(&answer))
    };
    let ours = ("User-Agent", "one/1");
    let (mut connection, own) = signed_on();
    for _ in 0..2 {
        assert_is(&connection.get(&web(), "/", &[ours]), "alice");
    }
    assert_is(&connection.get(&web(), "/", &[ours, ("Cookie", &own)]), "alice");
    assert_eq!(
        connection.get(&web(), "/", &[ours]).status,
        401,
        "whoever keeps cookies sends them"
    );
    let ended = cookie_of(&gateway.log_in(&Login::of("bob")));
    let foreign = format!("__Host-doorward={}", "A".repeat(43));
    for other in [
        vec![("User-Agent", "two/2")],
        vec![],
        vec![ours, ("Cookie", "theme=dark")],
        vec![ours, ("Cookie", &ended)],
        vec![ours, ("Cookie", &foreign)],
        vec![ours, ("Cookie", "doorward=")],
        vec![ours, ("Cookie", "__Host-doorward=x")],
    ] {
        let (mut connection, _) = signed_on();
        assert_eq!(connection.get(&web(), "/", &other).status, 401, "{other:?}");
        assert_eq!(connection.get(&web(), "/", &[ours]).status, 401, "it ended: {other:?}");
    }
}

#[test]
fn over_plain_http_from_loopback_ntlm_proves_its_request_alone() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let mut connection = gateway.connect();
    for user in ["alice", "bob"] {
        let answer = Login::of(user).get(&mut connection, "/", &[]);
        assert_is(&answer, user);
        assert_eq!(connection.get(&web(), "/", &[]).status, 401);
        assert_is(&connection.get(&web(), "/", &[("Cookie", &cookie_of(&answer))]), user);
    }
}

#[test]
fn every_client_signs_on_twice_on_one_connection() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    let alice = realm().ticket("alice");
    let is_alice = |answer: &Response, how: &str| {
        assert_eq!(answer.status, 200, "{how}: {answer:?}");
        assert_eq!(reached(answer, "Remote-User"), ["alice"], "{how}");
        assert_eq!(answer.before.iter().filter(|one| one.status == 200).count(), 1, "{how}");
    };
    for url in [gateway.doorward.url("/"), gateway.doorward.https_url("/")] {
        for version in ["--http1.1", "--http2"] {
            // The body of the last answer only is kept.
            let twice = ["--insecure", version, &url, &url];
            is_alice(&curl(Some(&alice), &twice), &format!("curl {version} {url}"));
        }
        let twice = ["--insecure", &url, &url];
        is_alice(
            &curl_ntlm(r"LAB\alice", realm().password("alice"), &twice),
            &format!("curl --ntlm {url}"),
        );
        let script = format!(
            "import requests, http.cookiejar, warnings\n\
             from requests_gssapi import HTTPSPNEGOAuth\n\
             from requests_ntlm import HttpNtlmAuth\n\
             warnings.simplefilter('ignore')\n\
             for auth in HTTPSPNEGOAuth(), HttpNtlmAuth('LAB\\\\alice', '{}'):\n\
             \x20   s = requests.Session()\n\
             \x20   s.verify, s.trust_env = False, False\n\
             \x20   s.cookies.set_policy(http.cookiejar.DefaultCookiePolicy(allowed_domains=[]))\n\
             \x20   for _ in range(2):\n\
             \x20       r = s.get('{url}', auth=auth)\n\
             \x20       print(r.status_code, dict((k.lower(), v) for k, v in r.json()['headers'])['remote-user'])\n",
            realm().password("alice"),
        );
        let said = python(&script, Some(&alice));
        assert_eq!(said.lines().collect::<Vec<_>>(), ["200 alice"; 4], "{url}");
    }
    for _ in 0..2 {
        assert_eq!(
            reached(&java(&gateway.doorward.url("/"), Some(&alice)), "Remote-User"),
            ["alice"]
        );
    }
}

#[test]
fn who_signs_on_by_kerberos_is_told_that_the_connection_is_not() {
    let front = "trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = Setup { front, ..Setup::default() }.start();
    let told = |path: &str, more: &[(&str, &str)]| {
        let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
        let value = format!("Negotiate {token}");
        let headers = [&[("Authorization", value.as_str())], more].concat();
        let answer = gateway.connect().get(&web(), path, &headers);
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        answer.all("persistent-auth").map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(told("/", &[]), ["false"]);
    assert_eq!(told("/.doorward/whoami", &[]), ["false"]);
    assert_eq!(told("/.doorward/auth", &[("X-Original-URI", "/")]), ["false"]);
    let cookie = gateway.sign_on("alice");
    let answer = gateway.connect().get(&web(), "/", &[("Cookie", &cookie)]);
    assert_eq!(answer.header("persistent-auth"), None);
}

#[test]
fn a_connection_on_which_a_proxy_showed_itself_once_is_nobody_s_own_any_more() {
    let gateway = Ntlm::start(PROTOCOLS[0]);
    for mark in [("Via", "1.1 x"), ("X-Forwarded-For", "192.0.2.1"), ("Forwarded", "for=x")] {
        let mut connection = gateway.connect_tls();
        assert_is(&Login::of("alice").get(&mut connection, "/", &[]), "alice");
        assert_is(&connection.get(&web(), "/", &[]), "alice");
        assert_eq!(connection.get(&web(), "/", &[mark]).status, 401, "{mark:?}");
        assert_eq!(connection.get(&web(), "/", &[]).status, 401, "after {mark:?}");
        assert_is(&Login::of("alice").get(&mut connection, "/", &[]), "alice");
        assert_eq!(connection.get(&web(), "/", &[]).status, 401, "after {mark:?}, anew");
    }
}

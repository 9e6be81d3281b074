//! Doorward beside another proxy, which asks it whether a request may pass.

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::servers::{self, Server};
use crate::lab::{chromium, curl, lab_path, realm};

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.0/8\"]";

fn gateway() -> Gateway {
    let more = "[[site]]\nhost = \"*\"\npath = \"/admin\"\nupstream = \"http://127.0.0.1:1\"\n\
                require = [\"user:bob\"]"
        .to_owned();
    Setup { front: TRUSTED, more, ..Setup::default() }.start()
}

/// nginx with the locations that docs/forward-auth.md shows.
fn nginx(gateway: &Gateway) -> Server {
    let document = std::fs::read_to_string(lab_path("../../docs/forward-auth.md")).unwrap();
    let (_, shown) = document.split_once("```nginx\n").unwrap();
    let (locations, _) = shown.split_once("```").unwrap();
    servers::nginx(&format!(
        "upstream doorward {{ server 127.0.0.1:{}; keepalive 4; }}\n\
         upstream application {{ server 127.0.0.1:{}; keepalive 4; }}\n\
         server {{ listen 127.0.0.1:{{port}};\n{locations}\n}}",
        gateway.doorward.http_port(),
        gateway.app.port
    ))
}

#[test]
fn nginx_signs_people_on_with_the_documented_configuration() {
    let gateway = gateway();
    let nginx = nginx(&gateway);
    let url = |path: &str| format!("http://{}:{}{path}", web(), nginx.port);
    let alice = realm().ticket("alice");
    let answer = curl(Some(&alice), &[&url("/here")]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    let cookie = format!("Cookie: {}", cookie_of(&answer));
    let again = curl(None, &["-H", &cookie, &url("/")]);
    assert_eq!(again.status, 200);
    assert_eq!(reached(&again, "Remote-User"), ["alice"]);

    let refused = curl(None, &[&url("/")]);
    assert_eq!(refused.status, 401);
    assert_eq!(refused.header("www-authenticate"), Some("Negotiate"));
    assert_eq!(curl(Some(&alice), &[&url("/admin")]).status, 403);
    let forged = curl(None, &["-H", &cookie, "-H", "Remote-User: bob", &url("/")]);
    assert_eq!(reached(&forged, "Remote-User"), ["alice"]);
    let page = chromium(&url("/"), Some(&alice));
    assert!(page.to_lowercase().contains(r#"["remote-user", "alice"]"#), "{page}");
}

#[test]
fn a_path_that_a_client_forges_beside_nginx_does_not_count() {
    let gateway = gateway();
    let nginx = nginx(&gateway);
    let cookie = format!("Cookie: {}", gateway.sign_on("alice"));
    let url = format!("http://{}:{}/admin", web(), nginx.port);
    for forged in
        ["X-Forwarded-Uri: /", "X-Original-URL: http://web.lab.example/", "X-Original-URI: /"]
    {
        let answer = curl(None, &["-H", &cookie, "-H", forged, &url]);
        assert_eq!(answer.status, 403, "{forged}: {answer:?}");
    }
    // A proxy that does not clear what clients send makes the claims contradict each other.
    let headers = [
        ("Cookie", cookie.trim_start_matches("Cookie: ")),
        ("X-Original-URI", "/admin"),
        ("X-Forwarded-Uri", "/"),
    ];
    let answer = gateway.connect().get(&web(), "/.doorward/auth", &headers);
    assert_eq!(answer.json()["error"], "forwarded_conflict");
}

#[test]
fn two_users_through_one_kept_connection_stay_two_users() {
    let gateway = gateway();
    let (alice, bob) = (gateway.sign_on("alice"), gateway.sign_on("bob"));
    let mut pooled = gateway.connect();
    for (cookie, user) in [(&alice, "alice"), (&bob, "bob"), (&alice, "alice")] {
        let answer =
            pooled.get(&web(), "/.doorward/auth", &[("Cookie", cookie), ("X-Original-URI", "/")]);
        assert_eq!(answer.header("remote-user"), Some(user));
    }
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Negotiate {token}");
    let headers = [("Authorization", value.as_str()), ("X-Original-URI", "/")];
    assert_eq!(pooled.get(&web(), "/.doorward/auth", &headers).status, 200);
    assert_eq!(pooled.get(&web(), "/.doorward/auth", &[("X-Original-URI", "/")]).status, 401);
}

/// What each proxy sends, by its documentation: Traefik's ForwardAuth, Caddy's
/// forward_auth, Envoy's ext_authz over HTTP (path appended to the prefix).
#[test]
fn the_requests_of_traefik_caddy_and_envoy_are_understood() {
    let gateway = gateway();
    let cookie = gateway.sign_on("alice");
    let host = web();
    let forwarded = |path: &'static str, method: &'static str| {
        vec![
            ("X-Forwarded-Method", method),
            ("X-Forwarded-Proto", "http"),
            ("X-Forwarded-Host", host.as_str()),
            ("X-Forwarded-Uri", path),
            ("X-Forwarded-For", "192.0.2.7"),
        ]
    };
    for (proxy, own_host, path, headers) in [
        ("traefik", "doorward.internal", "/.doorward/auth", forwarded("/a?b", "POST")),
        ("caddy", "doorward.internal:8080", "/.doorward/auth", forwarded("/a?b", "GET")),
        ("envoy", host.as_str(), "/.doorward/auth/a?b", vec![("X-Forwarded-For", "192.0.2.7")]),
    ] {
        let ask =
            |headers: &[(&str, &str)], path: &str| gateway.connect().get(own_host, path, headers);
        let signed_on = [headers.as_slice(), &[("Cookie", cookie.as_str())]].concat();
        let answer = ask(&signed_on, path);
        assert_eq!(answer.status, 200, "{proxy}: {answer:?}");
        assert_eq!(answer.header("remote-user"), Some("alice"), "{proxy}");
        assert!(answer.header("doorward-assertion").is_some(), "{proxy}");
        let answer = ask(&headers, path);
        assert_eq!(
            (answer.status, answer.header("www-authenticate")),
            (401, Some("Negotiate")),
            "{proxy}"
        );
        let staff: Vec<_> = signed_on
            .iter()
            .map(|(name, value)| {
                (*name, if *name == "X-Forwarded-Uri" { "/admin" } else { *value })
            })
            .collect();
        let path = if proxy == "envoy" { "/.doorward/auth/admin" } else { path };
        assert_eq!(ask(&staff, path).status, 403, "{proxy}");
        let site = format!("{host}/admin");
        gateway.doorward.wait_audit("the site that was asked about", |line| line["site"] == site);
    }
}

#[test]
fn a_proxy_that_tells_no_path_is_refused_where_sites_differ_by_path() {
    let gateway = gateway();
    let cookie = gateway.sign_on("alice");
    let ask = |gateway: &Gateway, cookie: &str| {
        gateway.connect().get(&web(), "/.doorward/auth", &[("Cookie", cookie)])
    };
    let answer = ask(&gateway, &cookie);
    assert_eq!((answer.status, answer.json()["error"].as_str().unwrap()), (400, "ambiguous_path"));
    gateway.doorward.wait_log("the mend", |line| line.to_string().contains("X-Original-URI"));
    let one_site = Setup { front: TRUSTED, ..Setup::default() }.start();
    assert_eq!(ask(&one_site, &one_site.sign_on("alice")).status, 200);
}

#[test]
fn nobody_but_a_trusted_proxy_may_ask_for_a_client() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let headers = [("Cookie", cookie.as_str()), ("X-Original-URI", "/")];
    let answer = gateway.connect().get(&web(), "/.doorward/auth", &headers);
    assert_eq!(answer.status, 403);
    assert_eq!(answer.json()["error"], "untrusted_proxy");
    let plain = gateway.connect().get(&web(), "/.doorward/auth", &headers[..1]);
    assert_eq!(plain.status, 200);
}

//! What proxies say, in every form that real ones say it in; and requests that say too little.

use crate::gateway::{Gateway, Setup, cookie_of, reached, web};
use crate::lab::http::Response;
use crate::lab::realm;

const TRUSTED: &str = "trusted_proxies = [\"::ffff:127.0.0.0/104\"]";

fn sign_on(gateway: &Gateway, more: &[(&str, &str)]) -> Response {
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Negotiate {token}");
    let headers = [&[("Authorization", value.as_str())], more].concat();
    gateway.connect().get(&web(), "/", &headers)
}

#[test]
fn the_scheme_is_understood_however_a_trusted_proxy_says_it() {
    // A network of IPv4 that is written in IPv6 is one of IPv4.
    let gateway = Setup { front: TRUSTED, ..Setup::default() }.start();
    for (said, secure) in [
        (vec![("X-Forwarded-Proto", "https")], true),
        (vec![("X-Forwarded-Proto", "wss")], true),
        (vec![("X-Forwarded-Proto", "ws")], false),
        (vec![("X-Forwarded-Proto", "https, https")], true),
        (vec![("X-Forwarded-Proto", "http"), ("X-Forwarded-Proto", "https")], true),
        (vec![("X-Forwarded-Proto", "https,http")], false),
        (vec![("Forwarded", "for=192.0.2.7;proto=https")], true),
        (vec![("Forwarded", "for=192.0.2.7;proto=https, for=10.0.0.1;proto=http")], false),
        (vec![], false),
    ] {
        let answer = sign_on(&gateway, &said);
        assert_eq!(answer.status, 200, "{said:?}");
        let cookie = cookie_of(&answer);
        assert_eq!(cookie.starts_with("__Host-"), secure, "{said:?}");
        let again = [&[("Cookie", cookie.as_str())], said.as_slice()].concat();
        assert_eq!(gateway.connect().get(&web(), "/", &again).status, 200, "{said:?}");
    }
    let mapped = [("X-Forwarded-For", "::ffff:192.0.2.7")];
    assert_eq!(sign_on(&gateway, &mapped).status, 200);
    gateway.doorward.wait_audit("the address", |line| line["client"] == "192.0.2.7");
}

#[test]
fn forward_auth_takes_the_paths_and_hosts_that_proxies_take() {
    let gateway = Setup { front: TRUSTED, ..Setup::default() }.start();
    let cookie = gateway.sign_on("alice");
    let ask = |name: &str, value: &[u8]| {
        let mut request = format!(
            "GET /.doorward/auth HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n{name}: ",
            web()
        )
        .into_bytes();
        request.extend_from_slice(value);
        request.extend_from_slice(b"\r\n\r\n");
        let mut connection = gateway.connect();
        connection.send(request);
        connection.response()
    };
    let paths: [&[u8]; 9] = [
        b"/caf\xc3\xa9",
        b"/caf\xe9",
        b"/s?q=<b>",
        b"/s?q={\"a\":1}",
        b"/a?x=1#y",
        b"/s?q=\"b\"|`^",
        b"/<`\"{}|^>",
        b"/a?b=\xff",
        b"/[x]",
    ];
    for path in paths {
        for name in ["X-Original-URI", "X-Forwarded-Uri"] {
            assert_eq!(ask(name, path).status, 200, "{name} {}", path.escape_ascii());
        }
        let url = [format!("https://{}", web()).as_bytes(), path].concat();
        assert_eq!(ask("X-Original-URL", &url).status, 200, "{}", path.escape_ascii());
    }
    for (path, reason) in
        [(&b"/a b"[..], "odd_path"), (b"/a\tb", "odd_path"), (b"/a#b", "ambiguous_path")]
    {
        let refused = ask("X-Original-URI", path);
        assert_eq!((refused.status, refused.json()["error"].as_str()), (400, Some(reason)));
        let reference = refused.json()["reference"].clone();
        gateway.doorward.wait_log("the refusal", |line| {
            line["fields"]["reference"] == reference || line["reference"] == reference
        });
    }
    let (twice, list) = (format!("{0}, {0}", web()), format!("evil.example, {}", web()));
    for host in [&twice, &list] {
        assert_eq!(ask("X-Forwarded-Host", host.as_bytes()).status, 200, "{host}");
    }
}

#[test]
fn a_request_that_names_no_host_is_refused() {
    let gateway = Gateway::start();
    for head in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost:\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: :80\r\n\r\n",
        "GET http://web.lab.example/ HTTP/1.1\r\n\r\n",
        "GET /.doorward/whoami HTTP/1.1\r\n\r\n",
        "POST /.doorward/logout HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ] {
        let mut connection = gateway.connect();
        connection.send(head);
        let answer = connection.response();
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (400, Some("host_missing")),
            "{head}"
        );
    }
    let mut old = gateway.connect();
    old.send("GET / HTTP/1.0\r\n\r\n");
    assert_eq!(old.response().status, 401, "HTTP/1.0 knows such requests");
    let cookie = gateway.sign_on("alice");
    let answer = gateway.connect().get(&web(), "/", &[("Cookie", &cookie)]);
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
}

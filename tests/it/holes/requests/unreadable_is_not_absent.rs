//! What cannot be read was sent all the same, and hides nothing that stands beside it.

use crate::gateway::{Gateway, Setup, reached, web};
use crate::lab::http::Response;
use crate::lab::{python, realm};

/// A request of these bytes, on a connection of its own.
fn send(gateway: &Gateway, start: &str, lines: &[&[u8]]) -> Response {
    let mut request = format!("{start} HTTP/1.1\r\n").into_bytes();
    for line in lines {
        request.extend_from_slice(line);
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    let mut connection = gateway.connect();
    connection.send(request);
    connection.response()
}

fn host() -> Vec<u8> {
    format!("Host: {}", web()).into_bytes()
}

fn log_out(gateway: &Gateway, cookies: &[&[u8]]) -> Response {
    let host = host();
    let mut lines: Vec<&[u8]> = vec![&host, b"Content-Length: 0"];
    lines.extend(cookies);
    send(gateway, "POST /.doorward/logout", &lines)
}

fn line(start: &[u8], cookie: &str, end: &[u8]) -> Vec<u8> {
    [b"Cookie: ", start, cookie.as_bytes(), end].concat()
}

#[test]
fn a_session_is_found_beside_bytes_of_others() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let host = host();
    for sent in [
        line(b"n=J\xc3\xb6rg; ", &cookie, b""),
        line(b"n=J\xf6rg; ", &cookie, b"; m=\xff"),
        line(b"doorward=\xff; ", &cookie, b"; doorward=J\xf6rg"),
    ] {
        let answer = send(&gateway, "GET /", &[&host, &sent]);
        assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{}", sent.escape_ascii());
    }
    let two: [&[u8]; 3] = [&host, b"Cookie: n=J\xf6rg", &line(b"", &cookie, b"")];
    assert_eq!(send(&gateway, "GET /", &two).status, 200);
}

#[test]
fn http_2_splits_cookies_and_nothing_is_lost() {
    let gateway = Gateway::start();
    let cookie = {
        let answer = gateway.get_tls(Some(&realm().ticket("alice")), "/", &[]);
        crate::gateway::cookie_of(&answer)
    };
    let script = format!(
        "import socket, ssl, h2.connection, h2.config, h2.events as e\n\
         context = ssl.create_default_context()\n\
         context.check_hostname, context.verify_mode = False, ssl.CERT_NONE\n\
         context.set_alpn_protocols(['h2'])\n\
         s = context.wrap_socket(socket.create_connection(('127.0.0.1', {})))\n\
         c = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding=None))\n\
         c.initiate_connection()\n\
         head = [(b':method', b'GET'), (b':path', b'/'), (b':scheme', b'https'), (b':authority', b'{}')]\n\
         crumbs = [b'n=J\\xf6rg', b'l=\\xf6; {cookie}', b'__Host-doorward=x', b'm=\\xc3\\xb6']\n\
         c.send_headers(1, head + [(b'cookie', crumb) for crumb in crumbs], end_stream=True)\n\
         s.sendall(c.data_to_send())\n\
         said = None\n\
         while not said:\n\
         \x20   for event in c.receive_data(s.recv(65536)):\n\
         \x20       if isinstance(event, e.ResponseReceived):\n\
         \x20           said = dict(event.headers)[b':status'].decode()\n\
         print(said)",
        gateway.doorward.https_port(),
        web()
    );
    assert_eq!(python(&script, None).trim(), "200");
}

#[test]
fn signing_off_ends_every_session_that_was_sent() {
    let gateway = Gateway::start();
    for beside in [
        [&b"doorward=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA; "[..], b""],
        [b"n=J\xc3\xb6rg; ", b""],
        [b"doorward=\xff; n=\xf6; ", b"; doorward="],
    ] {
        let (one, other) = (gateway.sign_on("alice"), gateway.sign_on("alice"));
        let both = format!("{one}; {other}");
        let [start, end] = beside;
        let answer = log_out(&gateway, &[&line(start, &both, end)]);
        assert_eq!((answer.status, &answer.json()["signed_off"]), (200, &true.into()));
        assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
        for cookie in [one, other] {
            assert_eq!(gateway.whoami(&cookie).status, 401, "{}", start.escape_ascii());
        }
    }
    assert_eq!(log_out(&gateway, &[]).status, 200, "nothing was sent, and nothing is left");
}

#[test]
fn signing_off_by_a_cookie_that_cannot_be_read_is_no_success() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let altered = cookie.replacen("doorward=", "doorward=x", 1);
    let bare = cookie.split_once('.').unwrap().0.to_owned();
    for sent in [
        &b"Cookie: doorward=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"[..],
        b"Cookie: doorward=\xff\xfe",
        b"Cookie: doorward=",
        b"Cookie: a=b; __Host-doorward=x",
        &line(b"", &altered, b""),
        &line(b"", &bare, b""),
    ] {
        let answer = log_out(&gateway, &[sent]);
        let said = answer.json();
        assert_eq!((answer.status, &said["error"]), (400, &"cookie_unreadable".into()), "{said}");
        assert_eq!(said["signed_off"], serde_json::Value::Null);
    }
    let many: Vec<_> = (0..9).map(|_| gateway.sign_on("alice")).collect();
    assert_eq!(log_out(&gateway, &[&line(b"", &many.join("; "), b"")]).status, 400);
    assert_eq!(gateway.whoami(&cookie).status, 200);
    let page: [&[u8]; 4] =
        [&host(), b"Content-Length: 0", b"Accept: \xff, text/html", b"Cookie: doorward=x"];
    let page = send(&gateway, "POST /.doorward/logout", &page);
    assert_eq!(page.status, 400);
    assert!(page.text().contains("<html") && page.text().contains("session cookie"), "{page:?}");
}

#[test]
fn a_foreign_byte_hides_no_other_header_of_ours() {
    let front = "trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = Setup { front, ..Setup::default() }.start();
    let host = host();
    let page = send(&gateway, "GET /", &[&host, b"Accept: text/h\xf6, text/HTML"]);
    assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
    let odd = send(&gateway, "GET /", &[b"Host: web\xf6.lab.example"]);
    assert_eq!((odd.status, odd.json()["error"].as_str()), (400, Some("odd_host")));
    let cookie = line(b"", &gateway.sign_on("alice"), b"");
    for origin in [&b"Origin: http://web.lab.example\xf6"[..], b"Sec-Fetch-Site: \xf6"] {
        let lines: [&[u8]; 4] = [&host, b"Content-Length: 0", origin, &cookie];
        assert_eq!(send(&gateway, "POST /.doorward/logout", &lines).status, 403);
    }
    let forwarded: [&[u8]; 4] = [
        &host,
        b"X-Forwarded-For: J\xf6rg, 192.0.2.7",
        b"X-Forwarded-Proto: \xf6, http",
        b"Authorization: Negotiate YWJj",
    ];
    let refused = send(&gateway, "GET /", &forwarded).json();
    let line = gateway
        .doorward
        .wait_audit("the refusal", |line| line["reference"] == refused["reference"]);
    assert_eq!(line["client"], "192.0.2.7");
    let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
    let value = format!("Authorization: Negotiate {token}");
    let beside: [&[u8]; 3] = [&host, b"X-Odd: \xff", value.as_bytes()];
    assert_eq!(send(&gateway, "GET /", &beside).status, 200);
}

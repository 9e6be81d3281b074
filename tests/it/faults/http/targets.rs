//! Targets with bytes that the grammar of URLs has not, but browsers, curl and
//! other servers take.

use aws_lc_rs::digest::{SHA256, digest};
use serde_json::Value;

use crate::gateway::{Gateway, cookie_of, reached, web};
use crate::lab::http::{Raw, Response};
use crate::lab::realm;

fn get(target: &[u8], cookie: &str) -> Vec<u8> {
    let lines = format!(" HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n\r\n", web());
    [b"GET ", target, lines.as_bytes()].concat()
}

fn post(length: usize, cookie: &str) -> String {
    let lines = format!("Host: {}\r\nCookie: {cookie}\r\n", web());
    format!("POST /upload HTTP/1.1\r\n{lines}Content-Length: {length}\r\n\r\n")
}

fn ask(connection: &mut Raw, request: impl AsRef<[u8]>) -> Response {
    connection.send(request);
    connection.response()
}

/// The target that the application was asked for.
#[track_caller]
fn target(answer: &Response) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    answer.json()["path"].clone()
}

#[test]
fn what_servers_take_in_a_target_is_taken() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let absolute = format!("http://{}/<a>", web());
    let mut lasting = gateway.connect();
    let mut tls = Raw::connect_tls(gateway.doorward.https_port());
    let tls_cookie = {
        let token = realm().ticket("alice").tokens(&web(), 1).remove(0);
        let signed_on = tls.get(&web(), "/", &[("Authorization", &format!("Negotiate {token}"))]);
        cookie_of(&signed_on)
    };
    for (sent, wanted) in [
        (&b"/s?q=\"b\""[..], "/s?q=%22b%22"),
        (b"/<60>", "/%3C60%3E"),
        (b"/s?q=<b>&r=`", "/s?q=%3Cb%3E&r=`"),
        (b"/caf\xe9", "/caf%E9"),
        (b"/caf\xc3\xa9?\xff", "/caf%C3%A9?%FF"),
        (b"/a`b", "/a%60b"),
        (b"/s?q={\"a\":[1]}|^", "/s?q={%22a%22:[1]}|^"),
        (b"/%3c?%22", "/%3c?%22"),
        (absolute.as_bytes(), "/%3Ca%3E"),
    ] {
        let shown = sent.escape_ascii().to_string();
        assert_eq!(target(&ask(&mut gateway.connect(), get(sent, &cookie))), wanted, "{shown}");
        assert_eq!(target(&ask(&mut lasting, get(sent, &cookie))), wanted, "again: {shown}");
        assert_eq!(target(&ask(&mut tls, get(sent, &tls_cookie))), wanted, "TLS: {shown}");
        // However its bytes arrive.
        let request = get(sent, &cookie);
        let (first, rest) = request.split_at(7);
        lasting.send(first);
        lasting.stream().set_nodelay(true).unwrap();
        assert_eq!(target(&ask(&mut lasting, rest)), wanted, "in parts: {shown}");
        // Behind a body, of either framing.
        let uploaded = ask(&mut lasting, post(5, &cookie) + "hello");
        assert_eq!(uploaded.json()["body_length"], 5);
        assert_eq!(target(&ask(&mut lasting, get(sent, &cookie))), wanted, "POST: {shown}");
        let chunked = post(0, &cookie).replace("Content-Length: 0", "Transfer-Encoding: chunked");
        let uploaded = ask(&mut lasting, chunked + "5\r\nhello\r\n0\r\n\r\n");
        assert_eq!(uploaded.json()["body_length"], 5);
        assert_eq!(target(&ask(&mut lasting, get(sent, &cookie))), wanted, "chunked: {shown}");
    }
}

#[test]
fn nothing_but_a_target_is_changed() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let mut connection = gateway.connect();
    // Bodies that look like requests, in one packet with their head, behind it, and cut.
    let body = "\r\n\r\nGET /<\"`é> HTTP/1.1\r\nHost: x\r\n\r\n".repeat(200);
    let hash = digest(&SHA256, body.as_bytes());
    let hash: String = hash.as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
    for cut in [0, 4, 9, 50, body.len()] {
        let (first, rest) = body.as_bytes().split_at(cut);
        connection.send([post(body.len(), &cookie).as_bytes(), first].concat());
        let answer = ask(&mut connection, rest);
        assert_eq!(answer.json()["body_sha256"], hash, "cut at {cut}");
        assert_eq!(answer.json()["body_length"], body.len());
    }
    // The answer is there before the body: what arrives then is no request.
    let mut connection = gateway.connect();
    for _ in 0..3 {
        let refused = ask(&mut connection, post(body.len(), "doorward=none"));
        assert_eq!(refused.status, 401);
        connection.send(&body);
        assert_eq!(target(&ask(&mut connection, get(b"/next", &cookie))), "/next");
    }
    // A header line in a packet of its own, behind two requests in one.
    let mut connection = gateway.connect();
    let both = [get(b"/one", &cookie), get(b"/two", &cookie)].concat();
    let (both, header) = (both.strip_suffix(b"\r\n").unwrap(), "X-Line: <\"> HTTP/1.1\r\n\r\n");
    connection.send(both);
    assert_eq!(target(&connection.response()), "/one");
    let answer = ask(&mut connection, header);
    assert_eq!(target(&answer), "/two");
    assert_eq!(reached(&answer, "X-Line"), ["<\"> HTTP/1.1"]);
    assert_eq!(target(&ask(&mut connection, get(b"/<", &cookie))), "/%3C");
}

#[test]
fn what_no_server_takes_in_a_target_is_refused_with_words() {
    let gateway = Gateway::start();
    for bytes in [&b"/\x01"[..], b"/\x7f", b"/a b", b"<"] {
        let answer = ask(&mut gateway.connect(), get(bytes, "a=b"));
        let said = answer.json();
        assert_eq!((answer.status, said["error"].as_str()), (400, Some("head_malformed")));
        gateway.doorward.wait_log("it", |line| line["reference"] == said["reference"]);
    }
}

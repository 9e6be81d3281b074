//! Heads that cannot be served: each gets words, a reference, a line in the log
//! and a figure.

use serde_json::Value;

use crate::gateway::{Gateway, Setup, reached, web};
use crate::lab::h2::{END_STREAM, Http2};
use crate::lab::http::{Raw, Response};
use crate::lab::{Scripted, scripted};

/// That an answer has a reason and a reference, and the log has them too. The log's line.
#[track_caller]
fn assert_said(gateway: &Gateway, answer: &Response, status: u16, reason: &str) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    let body = answer.json();
    assert_eq!(body["error"], reason, "{answer:?}");
    let reference = body["reference"].as_str().unwrap();
    let line = gateway.doorward.wait_log("the refusal", |line| line["reference"] == reference);
    assert_eq!(line["reason"], reason);
    assert!(gateway.metric(&format!("doorward_heads_refused_total{{reason=\"{reason}\"}}")) >= 1.0);
    line
}

fn raw(connection: &mut Raw, bytes: impl AsRef<[u8]>) -> Response {
    connection.send(bytes);
    connection.response()
}

#[test]
fn a_head_that_the_parser_refuses_gets_words() {
    let gateway = Gateway::start();
    let host = format!("Host: {}", web());
    for (head, status, reason) in [
        (format!("GET / HTTP/1.1\r\n{host}\r\nBad Name: x\r\n\r\n"), 400, "head_malformed"),
        (format!("GET / HTTP/1.1\r\n{host}\r\nno colon\r\n\r\n"), 400, "head_malformed"),
        (format!("GET / HTTP/1.1\r\n{host}\r\nA: b\u{1}c\r\n\r\n"), 400, "head_malformed"),
        (format!("G\u{0}T / HTTP/1.1\r\n{host}\r\n\r\n"), 400, "head_malformed"),
        (format!("GET / HTTP/3.7\r\n{host}\r\n\r\n"), 400, "head_malformed"),
        (format!("POST / HTTP/1.1\r\n{host}\r\nContent-Length: x\r\n\r\n"), 400, "head_malformed"),
        (
            format!("POST / HTTP/1.1\r\n{host}\r\nTransfer-Encoding: gzip\r\n\r\n"),
            400,
            "head_malformed",
        ),
        (format!("GET /{} HTTP/1.1\r\n{host}\r\n\r\n", "x".repeat(66_000)), 414, "target_too_long"),
        (
            format!("GET / HTTP/1.1\r\n{host}\r\n{}\r\n", "A: b\r\n".repeat(600)),
            431,
            "head_too_large",
        ),
        (format!("GET / HTTP/1.1\r\n{host}\r\nA: {}", "b".repeat(400_000)), 431, "head_too_large"),
    ] {
        for tls in [false, true] {
            let connect = || match tls {
                false => gateway.connect(),
                true => Raw::connect_tls(gateway.doorward.https_port()),
            };
            let mut connection = connect();
            let answer = raw(&mut connection, &head);
            let start = &head[..head.len().min(80)];
            assert_eq!(answer.header("connection"), Some("close"), "{start}");
            let line = assert_said(&gateway, &answer, status, reason);
            assert!(line["detail"].as_str().unwrap().contains("127.0.0.1"), "{line}");
            // Not only the first request of a connection.
            let mut connection = connect();
            assert_eq!(connection.get(&web(), "/", &[]).status, 401);
            assert_said(&gateway, &raw(&mut connection, &head), status, reason);
        }
    }
    let answer = raw(
        &mut gateway.connect(),
        format!("GET / HTTP/1.1\r\n{host}\r\nAccept: text/html\r\nBad Name: x\r\n\r\n"),
    );
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(answer.text().contains("Reference"), "{answer:?}");
}

#[test]
fn the_wrong_protocol_for_a_port_is_told_so() {
    let gateway = Gateway::start();
    let mut plain = Raw::connect(gateway.doorward.https_port());
    let answer = raw(&mut plain, format!("GET /a?secret=1 HTTP/1.1\r\nHost: {}\r\n\r\n", web()));
    let line = assert_said(&gateway, &answer, 400, "plain_on_tls_port");
    assert!(!line["detail"].as_str().unwrap().contains("secret"), "{line}");
    let hello = [&[22, 3, 1, 0, 200, 1, 0, 0, 196, 3, 3][..], &[7; 190]].concat();
    let answer = raw(&mut gateway.connect(), hello);
    assert_said(&gateway, &answer, 400, "tls_on_plain_port");
}

#[test]
fn the_header_lines_have_one_limit_on_both_versions() {
    let gateway = Setup { front: "max_header_bytes = 8192", ..Setup::default() }.start();
    let mut connection = gateway.connect();
    for (length, status) in [(7_000, 401), (9_000, 431), (20_000, 431), (70_000, 431)] {
        let value = "x".repeat(length);
        let answer = connection.get(&web(), "/", &[("X-Large", &value)]);
        assert_eq!(answer.status, status, "HTTP/1.1, {length}: {answer:?}");
        if status == 431 {
            let line = assert_said(&gateway, &answer, 431, "head_too_large");
            let detail = line["detail"].as_str().unwrap();
            assert!(detail.contains("8192"), "{detail}");
            connection = gateway.connect();
        }
        let mut client = Http2::connect(gateway.doorward.http_port(), &web(), 65_535);
        let stream = client.get(&[("x-large", &value)]);
        let frames = client.until(|frame| frame.stream == stream && frame.flags & END_STREAM != 0);
        let body: Vec<u8> =
            frames.iter().filter(|frame| frame.kind == 0).flat_map(|f| f.payload.clone()).collect();
        let body: Value = serde_json::from_slice(&body).unwrap();
        let wanted = if status == 431 { "head_too_large" } else { "no_credentials" };
        assert_eq!(body["error"], wanted, "HTTP/2, {length}");
    }
    let page = gateway.connect().get(
        &web(),
        "/",
        &[("X-Large", &"x".repeat(9_000)), ("Accept", "text/html")],
    );
    assert!(page.text().contains("Reference"), "{page:?}");
}

#[test]
fn a_transfer_coding_that_nobody_knows_is_not_passed_on_without_its_label() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    for coding in ["gzip, chunked", "chunked, chunked", "identity, chunked", "x-other,chunked"] {
        let answer = raw(
            &mut gateway.connect(),
            format!(
                "POST / HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nTransfer-Encoding: {coding}\r\n\r\n\
                 5\r\nhello\r\n0\r\n\r\n",
                web()
            ),
        );
        assert_said(&gateway, &answer, 501, "transfer_coding");
    }
}

#[test]
fn a_request_may_have_hundreds_of_lines() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let app = Scripted::start(answer.to_vec(), scripted::head);
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/raw\"\nupstream = \"http://127.0.0.1:{}\"",
        app.port
    );
    let gateway = Setup { more, ..Setup::default() }.start();
    let cookie = gateway.sign_on("alice");
    let mut headers = vec![("Cookie", cookie.as_str())];
    headers.extend([("X-Line", "v"); 400]);
    assert_eq!(gateway.connect().get(&web(), "/raw", &headers).status, 200);
    assert_eq!(app.request().matches("x-line: v\r\n").count(), 400);
}

#[test]
fn a_post_whose_head_ends_it_has_a_length_at_the_application() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let header = format!("Cookie: {cookie}");
    for version in ["--http1.1", "--http2-prior-knowledge"] {
        for method in ["POST", "PUT", "PATCH"] {
            let answer = gateway.get(None, "/", &[version, "-X", method, "-H", &header]);
            assert_eq!(reached(&answer, "Content-Length"), ["0"], "{version} {method}");
            assert_eq!(reached(&answer, "Transfer-Encoding"), [""; 0]);
        }
        let answer = gateway.get(None, "/", &[version, "-H", &header]);
        assert_eq!(reached(&answer, "Content-Length"), [""; 0], "a GET says nothing of it");
    }
}

//! An answer that is there before its request has arrived is read by the client all
//! the same, whoever gives it and whyever.

use crate::gateway::{Gateway, Setup, web};
use crate::lab::h2::{DATA, END_STREAM, HEADERS, Http2, RST_STREAM, code};
use crate::lab::{Scripted, free_port, python, scripted};

const TRIES: usize = 8;
const LENGTH: usize = 3 << 20;

/// A gateway, and an application that refuses uploads as soon as it has their heads.
fn gateway() -> (Gateway, Scripted) {
    let hasty =
        b"HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nno!";
    let app = Scripted::start(hasty.to_vec(), scripted::head);
    let silent = "[[site]]\nhost = \"*\"\nupstream = \"http://127.0.0.1";
    let more = format!(
        "{silent}:{}\"\npath = \"/hasty\"\n{silent}:{}\"\npath = \"/down\"\n\
         {silent}:{}\"\npath = \"/bobs\"\nrequire = [\"user:bob\"]",
        app.port,
        free_port(),
        app.port,
    );
    (Setup { more, ..Setup::default() }.start(), app)
}

#[test]
fn a_client_that_reads_only_after_it_has_written_sees_every_early_answer() {
    let (gateway, _app) = gateway();
    let cookie = gateway.sign_on("alice");
    let token = "Negotiate YWJj";
    let mut cases = Vec::new();
    for (path, name, value, status) in [
        ("/", "X-Nothing", "", 401),
        ("/", "Authorization", token, 401),
        ("/", "Authorization", "Negotiate !", 400),
        ("/bobs", "Cookie", cookie.as_str(), 403),
        ("/down", "Cookie", cookie.as_str(), 502),
        ("/hasty", "Cookie", cookie.as_str(), 413),
        ("/.doorward/nothing", "X-Nothing", "", 404),
        ("/", "X-Large", "200 KB", 431),
        ("/", "Transfer-Encoding", "gzip, chunked", 501),
        ("/", "Bad Name", "x", 400),
    ] {
        cases.push(format!("({path:?}, {name:?}, {value:?}, {status})"));
    }
    let script = format!(
        r#"
import http.client, ssl
body = b"u" * {LENGTH}
context = ssl._create_unverified_context()
failed = []
def connect(tls):
    if tls:
        return http.client.HTTPSConnection("{host}", {https}, timeout=60, context=context)
    return http.client.HTTPConnection("{host}", {http}, timeout=60)
def once(tls, path, name, value, wanted):
    connection = connect(tls)
    connection.putrequest("POST", path)
    connection.putheader("Content-Length", str(len(body)))
    # http.client would not let this through.
    connection._buffer.append(f"{{name}}: {{'x' * 200_000 if value == '200 KB' else value}}".encode())
    connection.endheaders()
    connection.send(body)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    if answer.status != wanted or (answer.status != 413 and b'"reference"' not in text):
        raise Exception((answer.status, text))
    # The application of 413 may have been given the whole body by then.
    if answer.getheader("Connection") != "close" and answer.status != 413:
        raise Exception("says nothing of the close", answer.headers.items())
for tls in (False, True):
    for path, name, value, wanted in [{cases}]:
        if tls and name == "Cookie":
            continue
        for _ in range({TRIES}):
            try:
                once(tls, path, name, value, wanted)
            except Exception as error:
                failed.append((tls, path, name, wanted, repr(error)))
print("\n".join(map(str, failed)))
"#,
        host = web(),
        http = gateway.doorward.http_port(),
        https = gateway.doorward.https_port(),
        cases = cases.join(", "),
    );
    let failed = python(&script, None);
    assert_eq!(failed.trim(), "");
}

#[test]
fn a_small_body_costs_nobody_the_connection() {
    let gateway = Gateway::start();
    let mut connection = gateway.connect();
    for _ in 0..3 {
        connection.send(format!(
            "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 50000\r\n\r\nhalf",
            web()
        ));
        let answer = connection.response();
        assert_eq!((answer.status, answer.header("connection")), (401, None));
        connection.send([b'u'; 50_000 - 4]);
    }
    // Nobody waits for a body that the client sends only when it is told to.
    connection.send(format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n",
        web()
    ));
    let answer = connection.response();
    assert_eq!((answer.status, answer.header("connection")), (401, Some("close")));
    assert!(connection.closed());
}

#[test]
fn a_client_that_never_stops_sending_is_cut_off() {
    let gateway = Setup { front: "body_timeout = \"1s\"", ..Setup::default() }.start();
    let mut connection = gateway.connect();
    connection.send(format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nContent-Length: 5000000000\r\n\r\nbegun",
        web()
    ));
    assert_eq!(connection.response().status, 401);
    // Our side is closed at once, and the connection after a while of silence.
    assert!(connection.closed());
    let connections = || gateway.metric("doorward_connections ") as u64;
    crate::lab::wait_until(crate::lab::LIMIT, "the end", || (connections() == 1).then_some(()));
}

#[test]
fn http2_resets_without_an_error_what_is_left_of_the_request() {
    let (gateway, _app) = gateway();
    let cookie = gateway.sign_on("alice");
    for (path, headers) in [
        ("/", vec![]),
        ("/bobs", vec![("cookie", cookie.as_str())]),
        ("/down", vec![("cookie", cookie.as_str())]),
    ] {
        let mut client = Http2::connect(gateway.doorward.http_port(), &web(), 65_535);
        let stream = client.request_to("POST", path, &headers, false);
        client.send(DATA, 0, stream, &[b'u'; 16_000]);
        let frames = client.until(|frame| frame.kind == RST_STREAM);
        assert!(frames.iter().any(|frame| frame.kind == HEADERS), "{path}: {frames:?}");
        assert!(
            frames.iter().any(|frame| frame.kind == DATA && frame.flags & END_STREAM != 0),
            "{path}: the answer is whole: {frames:?}"
        );
        assert_eq!(code(frames.last().unwrap()), 0, "{path}: NO_ERROR");
    }
}

#[test]
fn http2_does_not_reset_a_stream_for_a_small_body() {
    let gateway = Gateway::start();
    for path in ["/", "/.doorward/nothing"] {
        let mut client = Http2::connect(gateway.doorward.http_port(), &web(), 65_535);
        let stream = client.request_to("POST", path, &[("content-length", "4")], false);
        client.until(|frame| frame.stream == stream && frame.flags & END_STREAM != 0);
        client.send(DATA, END_STREAM, stream, b"data");
        // What is answered next stands behind everything about the first.
        let next = client.get(&[]);
        let frames = client.until(|frame| frame.stream == next && frame.flags & END_STREAM != 0);
        assert!(!frames.iter().any(|frame| frame.kind == RST_STREAM), "{path}: {frames:?}");
    }
}

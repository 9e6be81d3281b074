//! Claims behind a body, where programs look for headers that nobody deleted.

use crate::gateway::{Gateway, Setup, web};
use crate::lab::h2::{DATA, END_HEADERS, END_STREAM, HEADERS, Http2};
use crate::lab::scripted::{self, Scripted};

const CLAIMS: [(&str, &str); 8] = [
    ("X-Forwarded-For", "203.0.113.1"),
    ("X-Original-URL", "/admin"),
    ("Forwarded", "for=203.0.113.1"),
    ("Cookie", "doorward=planted"),
    ("Set-Cookie", "doorward=planted"),
    ("Remote_User", "planted"),
    ("Authorization", "Basic planted"),
    ("Host", "planted.example"),
];

fn before(app: &Scripted) -> Gateway {
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/raw\"\nupstream = \"http://127.0.0.1:{}\"",
        app.port
    );
    Setup { more, ..Setup::default() }.start()
}

fn lines() -> String {
    CLAIMS.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect()
}

fn names() -> String {
    CLAIMS.map(|(name, _)| name).join(", ")
}

#[track_caller]
fn assert_clean(text: &str) {
    let claimed = ["203.0.113.1", "/admin", "planted"];
    assert!(!claimed.iter().any(|claim| text.contains(claim)), "{text}");
}

#[test]
fn neither_client_nor_application_says_in_trailers_what_a_head_may_not_say() {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Checksum, {}\r\n\r\n\
         2\r\nok\r\n0\r\n{}X-Checksum: back\r\n\r\n",
        names(),
        lines()
    );
    let app = Scripted::start(answer.into_bytes(), scripted::chunks);
    let gateway = before(&app);
    let cookie = gateway.sign_on("alice");
    let mut connection = gateway.connect();
    connection.send(format!(
        "POST /raw HTTP/1.1\r\nHost: {}\r\nConnection: close, TE\r\nTE: trailers\r\nCookie: {cookie}\r\n\
         Transfer-Encoding: chunked\r\nTrailer: X-Checksum\r\n\r\n5\r\nhello\r\n0\r\n{}X-Checksum: up\r\n\r\n",
        web(),
        lines()
    ));
    let back = String::from_utf8_lossy(&connection.rest()).into_owned();
    let (head, body) = back.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{back}");
    assert_clean(body);
    assert!(body.contains("x-checksum: back"), "what says something of the body passes: {body}");
    let request = app.request();
    let (_, body) = request.split_once("\r\n\r\n").unwrap();
    assert_clean(body);
    assert!(body.to_lowercase().contains("x-checksum: up"), "{body}");

    let mut client = Http2::connect(gateway.doorward.http_port(), &web(), 65_535);
    let headers = [("cookie", cookie.as_str()), ("te", "trailers"), ("trailer", "x-checksum")];
    let stream = client.request_to("POST", "/raw", &headers, false);
    client.send(DATA, 0, stream, b"hello");
    client.trailers(stream, &CLAIMS.map(|(name, value)| (name.to_lowercase(), value)));
    let frames = client.until(|frame| frame.flags & END_STREAM != 0 && frame.kind != 4);
    let said: Vec<u8> = frames
        .iter()
        .skip_while(|frame| frame.kind != DATA)
        .flat_map(|frame| frame.payload.clone())
        .collect();
    assert!(frames.iter().any(|frame| frame.kind == HEADERS && frame.flags & END_HEADERS != 0));
    assert_clean(&String::from_utf8_lossy(&said));
    let request = app.request();
    assert_clean(request.split_once("\r\n\r\n").unwrap().1);
}

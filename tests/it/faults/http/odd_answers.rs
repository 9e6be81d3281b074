//! Answers of applications that are large, or break the rules of HTTP.

use crate::gateway::{Gateway, Setup, web};
use crate::lab::{Scripted, scripted};

fn before(answer: String) -> (Gateway, Scripted) {
    let app = Scripted::start(answer.into_bytes(), scripted::head);
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/raw\"\nupstream = \"http://127.0.0.1:{}\"",
        app.port
    );
    (Setup { more, ..Setup::default() }.start(), app)
}

#[test]
fn an_answer_with_hundreds_of_lines_passes() {
    let lines: String = (0..400).map(|n| format!("Set-Cookie: c{n}=v\r\n")).collect();
    let answer = format!("HTTP/1.1 200 OK\r\n{lines}Content-Length: 2\r\n\r\nok");
    let (gateway, _app) = before(answer);
    let cookie = gateway.sign_on("alice");
    let answer = gateway.connect().get(&web(), "/raw", &[("Cookie", &cookie)]);
    assert_eq!((answer.status, answer.all("set-cookie").count()), (200, 400));
}

#[test]
fn an_answer_that_breaks_the_rules_is_502_and_the_log_says_where() {
    for (answer, words) in [
        (
            "HTTP/1.1 200 OK\r\nA: b\r\nX-Bad: a\u{1}b\r\nContent-Length: 0\r\n\r\n",
            "line 3 contains a control byte: \"X-Bad: a\\x01b\"",
        ),
        (
            "HTTP/1.1 200 OK\r\nnonsense\r\nContent-Length: 0\r\n\r\n",
            "line 2 has no colon: \"nonsense\"",
        ),
        (
            "HTTP/1.1 200 OK\r\nBad Name: x\r\nContent-Length: 0\r\n\r\n",
            "line 2 has an invalid name",
        ),
        ("SSH-2.0-OpenSSH\r\n\r\n", "line 1 is not a status line"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "transfer coding gzip, chunked",
        ),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nok", "transfer coding gzip"),
    ] {
        let (gateway, _app) = before(answer.to_owned());
        let cookie = gateway.sign_on("alice");
        let refused = gateway.connect().get(&web(), "/raw", &[("Cookie", &cookie)]);
        assert_eq!(refused.status, 502, "{answer:?}: {refused:?}");
        assert_eq!(refused.json()["error"], "application_broken", "{answer:?}");
        let reference = refused.json()["reference"].as_str().unwrap().to_owned();
        let line = gateway
            .doorward
            .wait_log("the failure", |line| line["reference"] == reference.as_str());
        assert!(line["error"].as_str().unwrap().contains(words), "{line}");
    }
}

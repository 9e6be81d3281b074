//! The connection to the applications as a whole, over real sockets.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::timeout;

use super::testing::{Gate, LIMIT, application, listen, mirror, read_head, scripted, status};

const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

#[tokio::test]
async fn the_application_sees_the_proven_identity_and_nothing_claimed() {
    let gate = Gate::before(mirror().await).await;
    let answer = gate
        .ask(
            "GET /a%2Fb?q=1 HTTP/1.1\r\nHost: Web.Example:8080\r\nConnection: close, Remote-Admin\r\n\
             Remote-User: root\r\nREMOTE_USER: root\r\nRemote.User: root\r\nremote-admin: 2\r\n\
             Doorward-Assertion: forged\r\nAuthorization: Negotiate YII=\r\n\
             Cookie: doorward=secret; theme=dark\r\nX-Forwarded-For: 10.0.0.1\r\n\
             X-Forwarded-Proto: https\r\nForwarded: for=10.0.0.1\r\nAccept: */*\r\n\r\n",
        )
        .await;
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    let (assertions, lines): (Vec<_>, Vec<_>) = body
        .lines()
        .filter(|line| !line.starts_with("doorward-hop: "))
        .partition(|line| line.starts_with("doorward-assertion: "));
    assert_eq!(
        lines,
        [
            "GET /a%2Fb?q=1 HTTP/1.1",
            "accept: */*",
            "cookie: theme=dark",
            "host: Web.Example:8080",
            "remote-admin: 1",
            "remote-company: exampleorg",
            "remote-email: john@exampleorg.example",
            "remote-groups: webusers,S-1-5-21-1-2-3-513",
            "remote-mechanism: negotiate",
            "remote-name: John Döe",
            "remote-user: john",
            "x-forwarded-for: 127.0.0.1",
            "x-forwarded-host: Web.Example:8080",
            "x-forwarded-proto: http",
        ]
    );
    assert_eq!(assertions.len(), 1);
    assert!(assertions[0].starts_with("doorward-assertion: eyJ"), "{assertions:?}");
}

#[tokio::test]
async fn an_identity_among_the_trailers_does_not_arrive() {
    let gate = Gate::before(mirror().await).await;
    let answer = gate
        .ask(
            "POST / HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\
             Trailer: remote_user, X-Checksum\r\n\r\n5\r\nhello\r\n0\r\nremote_user: root\r\nX-Checksum: 5\r\n\r\n",
        )
        .await;
    assert!(answer.contains("\nhello\n"), "{answer}");
    assert!(answer.contains("trailer x-checksum: 5"), "trailers do pass: {answer}");
    assert!(!answer.contains("root"), "{answer}");
}

#[tokio::test]
async fn a_target_that_names_a_host_goes_before_the_header() {
    let gate = Gate::before(mirror().await).await;
    let answer = gate
        .ask(
            "GET http://web.example/x HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n\r\n",
        )
        .await;
    assert!(answer.contains("\nhost: web.example\n"), "{answer}");
    assert!(answer.contains("GET /x HTTP/1.1"), "{answer}");
}

#[tokio::test]
async fn http2_clients_reach_applications_of_http1() {
    let gate = Gate::before(mirror().await).await;
    let stream = TokioIo::new(gate.connect().await);
    let (mut sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), stream).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder()
        .uri("http://web.example:8080/x?y")
        .header("cookie", "a=1")
        .header("cookie", "doorward=secret")
        .header("cookie", "b=2")
        .body(Empty::<Bytes>::new())
        .unwrap();
    let answer = sender.send_request(request).await.unwrap().into_body().collect().await.unwrap();
    let answer = String::from_utf8(answer.to_bytes().into()).unwrap();
    assert!(answer.starts_with("GET /x?y HTTP/1.1\n"), "{answer}");
    assert!(answer.contains("\nhost: web.example:8080\n"), "{answer}");
    assert!(answer.contains("\ncookie: a=1; b=2\n"), "{answer}");
    assert!(!answer.contains("transfer-encoding"), "a GET has no body: {answer}");
}

#[tokio::test]
async fn an_answer_passes_without_what_belongs_to_its_connection() {
    let gate = Gate::before(
        scripted(&[&["HTTP/1.1 200 Fine\r\nConnection: X-Hop, keep-alive\r\nX-Hop: 1\r\nKeep-Alive: 5\r\n\
                     Date: Thu, 01 Jan 2026 00:00:00 GMT\r\nSet-Cookie: doorward=planted; Path=/\r\n\
                     Set-Cookie: theme=dark\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n\
                     2\r\nok\r\n0\r\n\r\n"]])
        .await,
    )
    .await;
    let answer = gate.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert_eq!(
        answer,
        "HTTP/1.1 200 Fine\r\ndate: Thu, 01 Jan 2026 00:00:00 GMT\r\nset-cookie: theme=dark\r\n\
         connection: close\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n"
    );
}

#[tokio::test]
async fn answers_without_a_body_keep_their_length() {
    let script: &[&[&str]] = &[&[
        "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n",
        "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n",
        "HTTP/1.1 204 No Content\r\n\r\n",
        OK,
    ]];
    let gate = Gate::before(scripted(script).await).await;
    let mut stream = gate.connect().await;
    for (method, status, length) in
        [("HEAD", "200", Some("content-length: 1000")), ("GET", "304", None), ("GET", "204", None)]
    {
        stream
            .write_all(format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n").as_bytes())
            .await
            .unwrap();
        let head = read_head(&mut stream).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{head}");
        assert!(length.is_none_or(|length| head.contains(length)), "{head}");
    }
    let answer = gate.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("ok"), "one connection served all four: {answer}");
}

#[tokio::test]
async fn interim_answers_come_before_the_real_one() {
    let script: &[&[&str]] = &[&[
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok",
    ]];
    let gate = Gate::before(scripted(script).await).await;
    let answer = gate.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await;
    assert!(answer.ends_with("\r\n\r\nok"), "{answer}");
}

#[tokio::test]
async fn a_client_that_waits_for_100_continue_is_told_to() {
    let gate = Gate::before(mirror().await).await;
    let mut stream = gate.connect().await;
    let head = "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    assert_eq!(read_head(&mut stream).await, "HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(b"hello").await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.contains("\ncontent-length: 5\n"), "{answer}");
    assert!(answer.ends_with("\nhello"), "{answer}");
}

#[tokio::test]
async fn a_parked_connection_that_died_costs_nobody_a_request() {
    // The application takes the second request and closes without a word.
    let script: &[&[&str]] = &[&[OK, ""], &[OK]];
    let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let post = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
    let gate = Gate::before(scripted(script).await).await;
    assert!(gate.ask(get).await.ends_with("ok"));
    assert!(gate.ask(get).await.ends_with("ok"), "a GET is sent again");
    let gate = Gate::before(scripted(script).await).await;
    assert!(gate.ask(get).await.ends_with("ok"));
    assert_eq!(status(&gate.ask(post).await), StatusCode::BAD_GATEWAY, "a POST never twice");
    // The application closes after each answer.
    let gate = Gate::before(scripted(&[&[OK], &[OK]]).await).await;
    assert!(gate.ask(post).await.ends_with("ok"));
    assert!(gate.ask(post).await.ends_with("ok"), "what was not sent may be sent");
}

#[tokio::test]
async fn the_error_says_what_is_wrong_with_the_application() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (listener, nobody) = listen().await;
    drop(listener);
    let answer = Gate::before(nobody).await.ask(get).await;
    assert_eq!(status(&answer), StatusCode::BAD_GATEWAY);
    assert!(answer.contains(&format!("the application at {nobody} cannot be reached")), "{answer}");

    let (_listener, silent) = listen().await;
    let answer = Gate::before(silent).await.ask(get).await;
    assert_eq!(status(&answer), StatusCode::GATEWAY_TIMEOUT);
    assert!(
        answer.contains("did not begin its answer within 300ms (front.answer_timeout)"),
        "{answer}"
    );

    let babbling = scripted(&[&["SSH-2.0-OpenSSH_9.2\r\n\r\n"]]).await;
    let answer = Gate::before(babbling).await.ask(get).await;
    assert_eq!(status(&answer), StatusCode::BAD_GATEWAY);
    assert!(answer.contains("line 1 is not a status line of HTTP/1.1"), "{answer}");

    let trace = "TRACE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answer = Gate::before(nobody).await.ask(trace).await;
    assert_eq!(status(&answer), StatusCode::NOT_IMPLEMENTED);
}

#[tokio::test]
async fn a_client_that_stands_still_is_not_taken_for_a_slow_application() {
    let gate = Gate::before(mirror().await).await;
    let answer = gate
        .ask("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\nhalf")
        .await;
    assert_eq!(status(&answer), StatusCode::REQUEST_TIMEOUT, "{answer}");
}

#[tokio::test]
async fn a_slow_upload_that_goes_on_is_not_cut_off() {
    let gate = Gate::before(mirror().await).await;
    let mut stream = gate.connect().await;
    let head = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 8\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut drops = tokio::time::interval(LIMIT / 2);
    for byte in b"patience" {
        drops.tick().await;
        stream.write_all(&[*byte]).await.unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("\npatience"), "{answer}");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_never_taken_for_whole() {
    const HALF: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    const CHUNKED: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n";
    // The application closes, or stands still until the gateway has waited enough.
    let scripts: [&[&[&str]]; 4] = [&[&[HALF]], &[&[CHUNKED]], &[&[HALF, ""]], &[&[CHUNKED, ""]]];
    for script in scripts {
        let gate = Gate::before(scripted(script).await).await;
        let mut stream = gate.connect().await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut answer = Vec::new();
        // Whether the client sees an end or a reset: it is no complete message.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        assert!(["", "half", "4\r\nhalf\r\n"].contains(&body), "{answer}");
    }
}

#[tokio::test]
async fn a_connection_on_which_a_request_was_not_finished_serves_nobody_else() {
    let no = "HTTP/1.1 413 Content Too Large\r\nContent-Length: 2\r\n\r\nno";
    let script: &'static [&'static [&'static str]] = vec![&*vec![no, ""].leak(), &[OK]].leak();
    let gate = Gate::before(scripted(script).await).await;
    let mut hasty = gate.connect().await;
    hasty.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf").await.unwrap();
    assert!(read_head(&mut hasty).await.starts_with("HTTP/1.1 413 "));
    let next = "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi";
    assert!(gate.ask(next).await.ends_with("ok"));
}

#[tokio::test]
async fn an_answer_of_any_size_passes_without_being_kept() {
    let flood = Flood::default();
    let meter = flood.meter();
    let gate = Gate::before(
        application(move |_| {
            let flood = flood.clone();
            async { Response::new(flood) }
        })
        .await,
    )
    .await;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(gate.connect().await)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().header("host", "a").body(Empty::<Bytes>::new()).unwrap();
    let mut body = sender.send_request(request).await.unwrap().into_body();
    let ahead = meter.at_rest().await;
    assert!(ahead < Flood::TOTAL / 2, "{ahead} bytes went ahead of a client that reads nothing");
    let mut received = 0;
    while let Some(frame) = body.frame().await {
        received += frame.unwrap().data_ref().map_or(0, Bytes::len);
    }
    assert_eq!(received, Flood::TOTAL);
}

#[tokio::test]
async fn a_request_of_any_size_passes_without_being_kept() {
    let flood = Flood::default();
    let meter = flood.meter();
    let begin = Arc::new(Notify::new());
    let reads = Arc::clone(&begin);
    let gate = Gate::before(
        application(move |mut request| {
            let reads = Arc::clone(&reads);
            async move {
                reads.notified().await;
                let mut received = 0;
                while let Some(frame) = request.body_mut().frame().await {
                    received += frame.unwrap().data_ref().map_or(0, Bytes::len);
                }
                Response::new(Full::<Bytes>::from(received.to_string()))
            }
        })
        .await,
    )
    .await;
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(gate.connect().await)).await.unwrap();
    tokio::spawn(connection);
    let request = Request::builder().method(Method::POST).header("host", "a").body(flood).unwrap();
    let answer = tokio::spawn(sender.send_request(request));
    let ahead = meter.at_rest().await;
    assert!(
        ahead < Flood::TOTAL / 2,
        "{ahead} bytes went ahead of an application that reads nothing"
    );
    begin.notify_one();
    let answer = answer.await.unwrap().unwrap().into_body().collect().await.unwrap();
    assert_eq!(answer.to_bytes(), Flood::TOTAL.to_string());
}

/// A body of 100 MiB that counts what was taken of it.
#[derive(Clone, Default)]
struct Flood {
    given: usize,
    meter: Meter,
}

#[derive(Clone, Default)]
struct Meter(Arc<(AtomicUsize, Notify)>);

impl Flood {
    const CHUNK: usize = 64 * 1024;
    const TOTAL: usize = 1600 * Self::CHUNK;

    fn meter(&self) -> Meter {
        self.meter.clone()
    }
}

impl Meter {
    /// How much was taken when nobody took any more for a while.
    async fn at_rest(&self) -> usize {
        let (taken, bell) = &*self.0;
        while timeout(Duration::from_millis(100), bell.notified()).await.is_ok() {}
        taken.load(Ordering::Relaxed)
    }
}

impl http_body::Body for Flood {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        if self.given == Self::TOTAL {
            return Poll::Ready(None);
        }
        self.given += Self::CHUNK;
        let (taken, bell) = &*self.meter.0;
        taken.fetch_add(Self::CHUNK, Ordering::Relaxed);
        bell.notify_one();
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(&[0; Self::CHUNK])))))
    }
}

//! Connections that change their protocol (RFC 9110 section 7.8), mainly websockets: the gateway
//! passes the request on, and bytes after the application has agreed.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use http::{Request, Version};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::connection::UpstreamConnection;
use super::stall::Stall;

/// A client's wish to speak another protocol.
pub(super) struct Upgrade {
    protocols: HeaderValue,
    client: OnUpgrade,
}

impl Upgrade {
    /// What the request asks for, where it may be asked of an application.
    /// HTTP inside a tunnel (`h2c`) may not: its requests would pass the
    /// gateway unseen, with whatever identity they claim.
    pub(super) fn wanted<B>(request: &mut Request<B>) -> Option<Self> {
        if request.version() != Version::HTTP_11 {
            return None;
        }
        let protocols = wanted(request.headers())?;
        Some(Self { protocols, client: hyper::upgrade::on(request) })
    }

    /// Asks the application.
    pub(super) fn ask(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocols.clone());
    }

    /// Whether an application that switches to this protocol was asked to.
    pub(super) fn allows(&self, protocol: &HeaderValue) -> bool {
        let mut chosen = tokens(protocol);
        chosen.next().is_some_and(|chosen| {
            tokens(&self.protocols).any(|asked| asked.eq_ignore_ascii_case(chosen))
        }) && chosen.next().is_none()
    }

    /// Passes bytes both ways until one side closes, nothing has moved for
    /// `limit`, or `until` is cancelled; in the end it is in every case.
    pub(super) async fn tunnel(
        self,
        connection: Box<UpstreamConnection>,
        limit: Duration,
        until: CancellationToken,
    ) {
        let ended = until.run_until_cancelled(pass(self.client, connection, limit)).await;
        match ended {
            None => tracing::debug!("a tunnel was closed with its session"),
            Some(Err(error)) => tracing::debug!(%error, "a tunnel broke"),
            Some(Ok(())) => {}
        }
        until.cancel();
    }
}

fn wanted(headers: &HeaderMap) -> Option<HeaderValue> {
    let asks = headers
        .get_all(CONNECTION)
        .into_iter()
        .flat_map(tokens)
        .any(|option| option.eq_ignore_ascii_case(b"upgrade"));
    let mut values = headers.get_all(UPGRADE).into_iter();
    match (values.next(), values.next()) {
        (Some(only), None) if asks && tokens(only).all(may_be_tunnelled) => Some(only.clone()),
        _ => None,
    }
}

fn may_be_tunnelled(protocol: &[u8]) -> bool {
    !["h2", "http", "tls"].iter().any(|prefix| {
        protocol
            .get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
    })
}

fn tokens(value: &HeaderValue) -> impl Iterator<Item = &[u8]> {
    value
        .as_bytes()
        .split(|byte| *byte == b',')
        .map(<[u8]>::trim_ascii)
        .filter(|token| !token.is_empty())
}

async fn pass(
    client: OnUpgrade,
    connection: Box<UpstreamConnection>,
    limit: Duration,
) -> io::Result<()> {
    let (application, early) = connection.into_stream().await?;
    let mut client = TokioIo::new(client.await.map_err(io::Error::other)?);
    client.write_all(&early).await?;
    let moved = AtomicBool::new(false);
    let mut application = Watched { stream: application, moved: &moved };
    let mut copying = pin!(copy_bidirectional(&mut client, &mut application));
    let mut stall = Stall::new(limit);
    poll_fn(|cx| {
        if let Poll::Ready(ended) = copying.as_mut().poll(cx) {
            return Poll::Ready(ended.map(drop));
        }
        if moved.swap(false, Ordering::Relaxed) {
            stall.moved();
        }
        stall.poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
    })
    .await
}

/// The application's side of a tunnel: every byte of either direction passes it.
struct Watched<'a> {
    stream: TcpStream,
    moved: &'a AtomicBool,
}

impl Watched<'_> {
    fn note<T>(&self, outcome: Poll<T>) -> Poll<T> {
        if outcome.is_ready() {
            self.moved.store(true, Ordering::Relaxed);
        }
        outcome
    }
}

impl AsyncRead for Watched<'_> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let outcome = Pin::new(&mut self.stream).poll_read(cx, buffer);
        self.note(outcome)
    }
}

impl AsyncWrite for Watched<'_> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;
    use crate::front::upstream::testing::{Gate, LIMIT, listen, read_head, scripted, status};
    use http::StatusCode;
    use std::net::SocketAddr;
    use tokio::io::AsyncReadExt as _;

    const ASK: &str = "GET /ws HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\n\
                       Upgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n";
    const YES: &str =
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n";

    /// Switches protocols, greets, and says everything back.
    async fn echo() -> SocketAddr {
        let (listener, address) = listen().await;
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move {
                    let head = read_head(&mut stream).await;
                    assert!(head.contains("upgrade: websocket\r\n"), "{head}");
                    assert!(head.contains("connection: upgrade\r\n"), "{head}");
                    assert!(head.contains("remote-user: john\r\n"), "{head}");
                    stream.write_all(format!("{YES}early").as_bytes()).await.unwrap();
                    let (mut reads, mut writes) = stream.split();
                    let _ = tokio::io::copy(&mut reads, &mut writes).await;
                });
            }
        });
        address
    }

    async fn open(gate: &Gate) -> TcpStream {
        let mut stream = gate.connect().await;
        stream.write_all(ASK.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(b"\r\n\r\nearly") {
            answer.push(stream.read_u8().await.unwrap());
        }
        let answer = String::from_utf8(answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
        assert!(answer.contains("upgrade: WebSocket\r\n"), "{answer}");
        stream
    }

    #[tokio::test]
    async fn after_a_yes_bytes_pass_in_both_directions() {
        let gate = Gate::before(echo().await).await;
        let mut stream = open(&gate).await;
        for _ in 0..3 {
            stream.write_all(b"frame").await.unwrap();
            let mut back = [0; 5];
            stream.read_exact(&mut back).await.unwrap();
            assert_eq!(&back, b"frame");
        }
        stream.shutdown().await.unwrap();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap(), 0, "an end passes as well");
    }

    #[tokio::test]
    async fn a_tunnel_ends_with_its_session() {
        let gate = Gate::before(echo().await).await;
        let mut stream = open(&gate).await;
        let began = clock::instant();
        gate.session.cancel();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
        assert!(began.elapsed() < LIMIT, "at once, not when it would have been idle for too long");
    }

    #[tokio::test]
    async fn a_tunnel_ends_when_nothing_moves() {
        let gate = Gate::before(echo().await).await;
        let mut stream = open(&gate).await;
        let began = clock::instant();
        assert_eq!(stream.read(&mut [0; 1]).await.unwrap_or(0), 0);
        assert!(began.elapsed() >= LIMIT / 2);
    }

    #[tokio::test]
    async fn an_application_may_decline() {
        let no = "HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno";
        let gate = Gate::before(scripted(vec![&*vec![no].leak()].leak()).await).await;
        let mut stream = gate.connect().await;
        stream.write_all(ASK.as_bytes()).await.unwrap();
        assert!(read_head(&mut stream).await.starts_with("HTTP/1.1 426 "));
    }

    #[tokio::test]
    async fn a_switch_that_nobody_asked_for_is_an_error() {
        let other =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n";
        for (answer, request) in [(YES, "GET / HTTP/1.1\r\nHost: a\r\n\r\n"), (other, ASK)] {
            let script = vec![&*vec![answer].leak()].leak();
            let gate = Gate::before(scripted(script).await).await;
            let mut stream = gate.connect().await;
            stream.write_all(request.as_bytes()).await.unwrap();
            assert_eq!(status(&read_head(&mut stream).await), StatusCode::BAD_GATEWAY);
        }
    }

    #[test]
    fn http_is_never_tunnelled() {
        for (connection, upgrade, asks) in [
            ("upgrade", "websocket", true),
            ("Keep-Alive, UPGRADE", "WebSocket", true),
            ("keep-alive", "websocket", false),
            ("upgrade", "h2c", false),
            ("upgrade", "H2C", false),
            ("upgrade, http2-settings", "websocket, h2c", false),
            ("upgrade", "HTTP/2.0", false),
            ("upgrade", "TLS/1.2", false),
            ("upgrade", "http/1.1", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONNECTION, connection.parse().unwrap());
            headers.insert(UPGRADE, upgrade.parse().unwrap());
            assert_eq!(wanted(&headers).is_some(), asks, "{connection}: {upgrade}");
        }
    }
}

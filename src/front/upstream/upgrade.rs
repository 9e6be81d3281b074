//! Connections that change their protocol (RFC 9110 section 7.8), websockets
//! above all: the gateway passes the question on, and after a yes it passes bytes.

use std::future::poll_fn;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CONNECTION, HeaderMap, HeaderValue, UPGRADE};
use http::{Request, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, copy_bidirectional};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;

use super::link::Link;
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
    pub(super) fn wanted(request: &mut Request<Incoming>) -> Option<Self> {
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
    pub(super) async fn tunnel(self, link: Box<Link>, limit: Duration, until: CancellationToken) {
        let ended = until.run_until_cancelled(pass(self.client, link, limit)).await;
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

async fn pass(client: OnUpgrade, link: Box<Link>, limit: Duration) -> io::Result<()> {
    let (application, early) = link.into_stream().await?;
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

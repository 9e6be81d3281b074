//! A client's stream as hyper sees it. It detects clients that send requests and do not read, for
//! which hyper would wait for ever; it encodes bytes in the target of a request that hyper would
//! refuse; and it holds back hyper's own answer to heads that it cannot read, so that Doorward
//! answers with an explanation.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock;
use crate::front::connection::Connection;
use crate::front::connection::activity::Activity;
use crate::front::connection::places::Place;
use target::{Between, Targets};

pub(in crate::front) mod streams;
mod target;

/// Whether the peer takes what it is sent.
#[derive(Debug, Default)]
pub(in crate::front) struct Output {
    taken: AtomicUsize,
    waiting: AtomicBool,
}

impl Output {
    /// Ends when the peer has taken less than [`LEAST`] of what waits for it for a
    /// whole limit: a byte now and then would hold the connection as well.
    pub(in crate::front) async fn wait_until_stalled(&self, limit: Duration) {
        let mut seen: Option<usize> = None;
        loop {
            clock::pause(limit).await;
            let waiting = self.waiting.load(Ordering::Relaxed);
            let now = waiting.then(|| self.taken.load(Ordering::Relaxed));
            if let (Some(before), Some(now)) = (seen, now)
                && now.wrapping_sub(before) < LEAST
            {
                return;
            }
            seen = now;
        }
    }
}

/// A head that hyper refused.
#[derive(Debug)]
pub(in crate::front) struct RefusedHead {
    /// hyper's status for it: 400, 414 or 431.
    pub(in crate::front) status: u16,
    /// What the head begins with.
    pub(in crate::front) start: Vec<u8>,
}

/// A connection's stream.
pub(in crate::front) struct Noted<S> {
    stream: S,
    /// Was read before hyper came.
    early: Bytes,
    /// Was read and noted, and hyper had no room for it.
    noted: Bytes,
    output: Arc<Output>,
    heads: Option<Heads>,
    /// Taken for as long as the stream lives, which may become a tunnel.
    _place: Option<Arc<Place>>,
}

/// HTTP/1.1 only. Between two requests hyper writes nothing unless it refuses a head.
struct Heads {
    activity: Arc<Activity>,
    /// As many requests had begun when everything was answered and flushed.
    answered: Option<usize>,
    /// What the head that arrives begins with.
    start: Vec<u8>,
    refused: Option<u16>,
    targets: Targets,
}

impl<S> Noted<S> {
    /// A stream on which HTTP/2 is spoken, from `early` on.
    pub(in crate::front) const fn http2(stream: S, early: Bytes, output: Arc<Output>) -> Self {
        Self { stream, early, noted: Bytes::new(), output, heads: None, _place: None }
    }

    /// A stream on which HTTP/1.1 is spoken, from `early` on.
    pub(in crate::front) fn http1(
        stream: S,
        early: Bytes,
        output: Arc<Output>,
        connection: &Connection,
    ) -> Self {
        let activity = Arc::clone(&connection.activity);
        let heads = Heads {
            activity,
            answered: Some(0),
            start: Vec::new(),
            refused: None,
            targets: Targets::new(),
        };
        let place = connection.place.clone();
        Self { stream, early, noted: Bytes::new(), output, heads: Some(heads), _place: place }
    }

    /// The stream itself, and the head that hyper refused on it.
    pub(in crate::front) fn into_inner(self) -> (S, Option<RefusedHead>) {
        let refused = self.heads.and_then(|heads| {
            heads.refused.map(|status| RefusedHead { status, start: heads.start })
        });
        (self.stream, refused)
    }

    fn note(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(written)) = &outcome {
            self.output.taken.fetch_add(*written, Ordering::Relaxed);
        }
        self.output.waiting.store(outcome.is_pending(), Ordering::Relaxed);
        outcome
    }
}

impl Heads {
    /// Keeps the start of a head. What comes with an open request is none. When
    /// something else is to be read than what arrived, that.
    fn read(&mut self, bytes: &[u8]) -> Option<Vec<u8>> {
        let is_open = self.activity.is_open();
        if self.start.is_empty() && !is_open {
            self.start = bytes.get(..KEPT).unwrap_or(bytes).to_vec();
        }
        if self.activity.is_tunnel() {
            return None;
        }
        let body = if is_open { None } else { self.activity.last_body() };
        let between = body.map(|body| Between { begun: self.activity.begun(), body });
        self.targets.pass(bytes, between)
    }

    /// All is written that hyper had to say.
    fn flushed(&mut self) {
        if self.refused.is_none() && !self.activity.is_open() {
            let begun = self.activity.begun();
            if self.answered != Some(begun) {
                self.answered = Some(begun);
                self.start = Vec::new();
            }
        }
    }

    /// Whether these are hyper's own words about a head.
    fn keeps_back(&mut self, bytes: &[u8]) -> bool {
        if self.refused.is_none()
            && !self.activity.is_open()
            && !self.activity.is_tunnel()
            && self.answered == Some(self.activity.begun())
        {
            // `HTTP/1.1 431 …`
            let status = bytes.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok());
            self.refused = Some(status.and_then(|status| status.parse().ok()).unwrap_or(400));
        }
        self.refused.is_some()
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.noted.has_remaining() {
            let length = this.noted.len().min(buffer.remaining());
            buffer.put_slice(&this.noted.split_to(length));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let outcome = if this.early.has_remaining() {
            let length = this.early.len().min(buffer.remaining());
            buffer.put_slice(&this.early.split_to(length));
            Poll::Ready(Ok(()))
        } else {
            Pin::new(&mut this.stream).poll_read(cx, buffer)
        };
        if let Some(heads) = &mut this.heads
            && outcome.is_ready()
            && let Some(encoded) = heads.read(buffer.filled().get(before..).unwrap_or_default())
        {
            this.noted = Bytes::from(encoded);
            buffer.set_filled(before);
            let length = this.noted.len().min(buffer.remaining());
            buffer.put_slice(&this.noted.split_to(length));
        }
        outcome
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.heads.as_mut().is_some_and(|heads| heads.keeps_back(bytes)) {
            return Poll::Ready(Ok(bytes.len()));
        }
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let first = buffers.first().map_or(&[][..], |buffer| buffer);
        if self.heads.as_mut().is_some_and(|heads| heads.keeps_back(first)) {
            return Poll::Ready(Ok(buffers.iter().map(|buffer| buffer.len()).sum()));
        }
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.note(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if let Some(heads) = &mut self.heads {
            heads.flushed();
        }
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.heads.as_ref().is_some_and(|heads| heads.refused.is_some()) {
            // An answer is still to come.
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// So many bytes of an answer a client must take within `body_timeout`.
pub(in crate::front) const LEAST: usize = 16 * 1024;

/// So much of a head is kept: a browser's `Accept` stands within it.
const KEPT: usize = 2048;

//! Notices clients that ask and then do not read: hyper waits for them for ever.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::clock;

/// Whether the peer takes what it is sent.
#[derive(Debug, Default)]
pub(super) struct Output {
    writes: AtomicUsize,
    waiting: AtomicBool,
}

impl Output {
    /// Ends when the peer has taken nothing of what waits for it for a whole limit.
    pub(super) async fn wait_until_stalled(&self, limit: Duration) {
        let mut seen = None;
        loop {
            clock::pause(limit).await;
            let waiting = self.waiting.load(Ordering::Relaxed);
            let now = waiting.then(|| self.writes.load(Ordering::Relaxed));
            if now.is_some() && now == seen {
                return;
            }
            seen = now;
        }
    }
}

/// A connection's stream that notes whether the peer takes what is written.
pub(super) struct Noted<S> {
    stream: S,
    output: Arc<Output>,
}

impl<S> Noted<S> {
    /// Notes in `output` what happens to `stream`.
    pub(super) const fn new(stream: S, output: Arc<Output>) -> Self {
        Self { stream, output }
    }

    fn note(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        let output = &self.output;
        if outcome.is_ready() {
            output.writes.fetch_add(1, Ordering::Relaxed);
        }
        output.waiting.store(outcome.is_pending(), Ordering::Relaxed);
        outcome
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.note(outcome)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

//! One HTTP/1.1 connection to an application. It has no task of its own: the caller that waits for
//! an answer drives it, so a request stays on one thread and wakes no other. Idle connections are
//! checked when they are used again.

use std::fmt;
use std::future::poll_fn;
use std::io::ErrorKind::{BrokenPipe, ConnectionReset};
use std::io::{self, IoSlice};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::front::upstream::request_body::RequestBody;

pub(super) mod answer_body;
pub(super) mod pool;

/// A connection, and the means to send requests on it.
pub(in crate::front::upstream) struct UpstreamConnection {
    sender: SendRequest<RequestBody>,
    connection: Connection<TokioIo<Heard>, RequestBody>,
    ended: bool,
}

/// A request that got no answer.
pub(in crate::front::upstream) struct Unanswered {
    /// What went wrong.
    pub(in crate::front::upstream) error: hyper::Error,
    /// The request itself, when not a byte of it was sent.
    pub(in crate::front::upstream) unsent: Option<Request<RequestBody>>,
}

impl UpstreamConnection {
    /// Begins HTTP/1.1 on a connection.
    pub(in crate::front::upstream) async fn new(stream: TcpStream) -> hyper::Result<Box<Self>> {
        let (sender, connection) = http1::Builder::new()
            .max_headers(MAX_HEADERS)
            // More than one read of it does not make answers faster, and stays in memory.
            .max_buf_size(MAX_HEAD)
            .handshake(TokioIo::new(Heard { stream, is_deaf: false }))
            .await?;
        Ok(Box::new(Self { sender, connection, ended: false }))
    }

    /// Sends a request and waits for the head of its answer.
    pub(in crate::front::upstream) async fn send(
        &mut self,
        request: Request<RequestBody>,
    ) -> Result<Response<Incoming>, Unanswered> {
        let mut answer = pin!(self.sender.try_send_request(request));
        let (connection, ended) = (&mut self.connection, &mut self.ended);
        let outcome = poll_fn(|cx| {
            if !*ended {
                // What the connection has to say reaches the answer as well.
                *ended = connection.poll_without_shutdown(cx).is_ready();
            }
            answer.as_mut().poll(cx)
        });
        outcome.await.map_err(|mut failed| {
            let unsent = failed.take_message();
            Unanswered { error: failed.into_error(), unsent }
        })
    }

    /// Moves bytes, for whoever reads an answer's body.
    pub(in crate::front::upstream) fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = self.connection.poll_without_shutdown(cx).is_ready();
        }
    }

    /// Whether a request may be sent now: the last exchange is complete in both
    /// directions, and the application has neither closed nor said anything unasked.
    pub(in crate::front::upstream) fn is_idle(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.ended && self.sender.is_ready()
    }

    /// What is wrong with the head of an answer that could not be read: the
    /// first line that breaks the rules.
    pub(in crate::front::upstream) fn odd_head(self) -> String {
        odd_line(&self.connection.into_parts().read_buf)
    }

    /// Gives up HTTP after an answer of 101: the bare connection, and what the
    /// application has already said on it.
    pub(in crate::front::upstream) async fn into_stream(
        mut self,
    ) -> io::Result<(TcpStream, Bytes)> {
        poll_fn(|cx| {
            self.drive(cx);
            if self.ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let parts = self.connection.into_parts();
        Ok((parts.io.into_inner().stream, parts.read_buf))
    }
}

/// A stream that is read on when the application has stopped to read: it may
/// have answered before it closed, and its answer is worth more than the error.
struct Heard {
    stream: TcpStream,
    /// The application takes nothing any more.
    is_deaf: bool,
}

impl Heard {
    fn forgive(
        &mut self,
        outcome: Poll<io::Result<usize>>,
        length: usize,
    ) -> Poll<io::Result<usize>> {
        match outcome {
            Poll::Ready(Err(error)) if matches!(error.kind(), BrokenPipe | ConnectionReset) => {
                self.is_deaf = true;
                Poll::Ready(Ok(length))
            }
            outcome => outcome,
        }
    }
}

impl AsyncRead for Heard {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Heard {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.is_deaf {
            return Poll::Ready(Ok(bytes.len()));
        }
        let outcome = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.forgive(outcome, bytes.len())
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = buffers.iter().map(|buffer| buffer.len()).sum();
        if self.is_deaf {
            return Poll::Ready(Ok(length));
        }
        let outcome = Pin::new(&mut self.stream).poll_write_vectored(cx, buffers);
        self.forgive(outcome, length)
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

impl fmt::Debug for UpstreamConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpstreamConnection").field("ended", &self.ended).finish_non_exhaustive()
    }
}

/// The first line of a head that is none of HTTP (RFC 9112 sections 4 and 5).
fn odd_line(head: &[u8]) -> String {
    let mut count = 0;
    for (at, line) in head.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.is_empty() {
            break;
        }
        count = at + 1;
        let fault = if at == 0 { odd_status(line) } else { odd_field(line) };
        if let Some(fault) = fault {
            let short = line.get(..SHOWN).unwrap_or(line).escape_ascii();
            return format!("line {} {fault}: \"{short}\"", at + 1);
        }
    }
    if count > MAX_HEADERS {
        return format!("it has more than {MAX_HEADERS} header lines");
    }
    format!("it has more than {MAX_HEAD} bytes, or contradictory lengths or codings")
}

fn odd_status(line: &[u8]) -> Option<&'static str> {
    (!line.starts_with(b"HTTP/1.") || line.iter().any(|byte| is_control(*byte)))
        .then_some("is not a status line of HTTP/1.1")
}

fn odd_field(line: &[u8]) -> Option<&'static str> {
    let Some(colon) = line.iter().position(|byte| *byte == b':') else {
        return Some("has no colon");
    };
    let (name, value) = line.split_at(colon);
    if name.is_empty() || HeaderName::from_bytes(name).is_err() {
        Some("has an invalid name")
    } else if value.iter().any(|byte| is_control(*byte)) {
        Some("contains a control byte")
    } else {
        None
    }
}

const fn is_control(byte: u8) -> bool {
    byte < b' ' && byte != b'\t' || byte == 0x7f
}

/// Lines of an answer's head: as many as a request may have.
const MAX_HEADERS: usize = 512;
/// Bytes of an answer's head; also the most of its body that is read at a time.
const MAX_HEAD: usize = 256 * 1024;
const SHOWN: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_named_that_breaks_the_rules() {
        for (head, words) in [
            (&b"SSH-2.0-x\r\n"[..], "line 1 is not a status line"),
            (b"HTTP/1.1 200 OK\r\nA: b\r\nnonsense\r\n\r\n", "line 3 has no colon: \"nonsense\""),
            (
                b"HTTP/1.1 200 OK\r\nA: b\x01c\r\n\r\n",
                r#"line 2 contains a control byte: "A: b\x01c""#,
            ),
            (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "line 2 has an invalid name"),
            (b"HTTP/1.1 200 OK\r\n folded: c\r\n\r\n", "line 2 has an invalid name"),
        ] {
            let fault = odd_line(head);
            assert!(fault.starts_with(words), "{fault}");
        }
        let many = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"A: b\r\n".repeat(600)].concat();
        assert!(odd_line(&many).contains("more than 512"), "{}", odd_line(&many));
    }
}

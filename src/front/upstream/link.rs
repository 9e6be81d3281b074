//! One HTTP/1.1 connection to an application. It has no task of its own:
//! whoever waits for an answer drives it, so a request stays on one thread and
//! costs no wake-up of another. Parked connections are looked at when they are
//! taken up again.

use std::fmt;
use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, Connection, SendRequest};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::body::RequestBody;

/// A connection, and the means to send requests on it.
pub(super) struct Link {
    sender: SendRequest<RequestBody>,
    connection: Connection<TokioIo<TcpStream>, RequestBody>,
    ended: bool,
}

/// A request that got no answer.
pub(super) struct Unanswered {
    /// What went wrong.
    pub(super) error: hyper::Error,
    /// The request itself, when not a byte of it was sent.
    pub(super) unsent: Option<Request<RequestBody>>,
}

impl Link {
    /// Begins HTTP/1.1 on a connection.
    pub(super) async fn new(stream: TcpStream) -> hyper::Result<Box<Self>> {
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        Ok(Box::new(Self { sender, connection, ended: false }))
    }

    /// Sends a request and waits for the head of its answer.
    pub(super) async fn send(
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
    pub(super) fn drive(&mut self, cx: &mut Context<'_>) {
        if !self.ended {
            self.ended = self.connection.poll_without_shutdown(cx).is_ready();
        }
    }

    /// Whether a request may be sent now: the last exchange is complete in both
    /// directions, and the application has neither closed nor said anything unasked.
    pub(super) fn is_idle(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop()));
        !self.ended && self.sender.is_ready()
    }

    /// Gives up HTTP after an answer of 101: the bare connection, and what the
    /// application has already said on it.
    pub(super) async fn into_stream(mut self) -> io::Result<(TcpStream, Bytes)> {
        poll_fn(|cx| {
            self.drive(cx);
            if self.ended { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
        let parts = self.connection.into_parts();
        Ok((parts.io.into_inner(), parts.read_buf))
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("ended", &self.ended).finish_non_exhaustive()
    }
}

//! The body of an answer, tracked while the client reads it.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use crate::front::connection::activity::OpenRequest;
use crate::front::connection::stream::LEAST;
use crate::front::connection::stream::streams::Stream;

/// The body of an answer, counted while the client takes it.
#[derive(Debug)]
pub(in crate::front::connection) struct Tracked<B> {
    body: B,
    taking: Taking,
    /// What is left of a frame that was too large for one.
    rest: Bytes,
}

/// Who takes an answer.
#[derive(Debug)]
enum Taking {
    /// hyper asks for as much as the connection takes.
    Http1(OpenRequest),
    /// A stream among others: its parts are followed until they are sent.
    Http2(Arc<Stream>),
}

impl<B> Tracked<B> {
    /// An answer by HTTP/1.1. The request is open until it is dropped.
    pub(in crate::front::connection) fn http1(body: B, request: OpenRequest) -> Self {
        request.clients_turn();
        Self { body, taking: Taking::Http1(request), rest: Bytes::new() }
    }

    /// An answer by HTTP/2.
    pub(in crate::front::connection) fn http2(body: B, stream: Arc<Stream>) -> Self {
        stream.request.clients_turn();
        Self { body, taking: Taking::Http2(stream), rest: Bytes::new() }
    }

    /// A part of a frame that is no larger than what a client has to take at a time.
    fn part(&mut self, stream: &Arc<Stream>, frame: Frame<Bytes>) -> Frame<Bytes> {
        match frame.into_data() {
            Ok(mut bytes) => {
                if bytes.len() > LEAST {
                    self.rest = bytes.split_off(LEAST);
                }
                Frame::data(stream.send(bytes))
            }
            Err(trailers) => trailers,
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Tracked<B> {
    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        if self.rest.is_empty() {
            Pin::new(&mut self.body).poll_frame(cx)
        } else {
            Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))))
        }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Tracked<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        let next = this.next(cx);
        let request = match &this.taking {
            Taking::Http1(request) => request,
            Taking::Http2(stream) => &stream.request,
        };
        if next.is_pending() {
            request.our_turn();
        } else {
            request.clients_turn();
        }
        match &this.taking {
            Taking::Http1(request) => {
                // hyper asks when the client has taken what was there before.
                request.touch();
                next
            }
            Taking::Http2(stream) => {
                let stream = Arc::clone(stream);
                next.map_ok(|frame| this.part(&stream, frame))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    /// Asked before the first frame only.
    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

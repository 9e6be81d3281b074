//! The body of every answer the front gives: a page of its own, or what an
//! application sends, passed on frame by frame.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use http_body_util::Full;

use super::upstream::{AnswerBody, BodyError};
use crate::front::connection::activity::OpenRequest;
use crate::front::connection::stream::LEAST;
use crate::front::connection::stream::streams::Stream;
use in_use::InUse;

pub(in crate::front) mod in_use;

/// The body of an answer.
#[derive(Debug)]
pub(in crate::front) enum Body {
    /// Bytes at hand.
    Full(Full<Bytes>),
    /// An application's answer, as it arrives.
    Answer(AnswerBody),
    /// The same, to somebody whose session it is a use of.
    InUse(Box<InUse>),
}

impl Body {
    /// No bytes at all.
    pub(in crate::front) fn empty() -> Self {
        Self::Full(Full::default())
    }
}

impl Default for Body {
    fn default() -> Self {
        Self::empty()
    }
}

impl<T: Into<Bytes>> From<T> for Body {
    fn from(bytes: T) -> Self {
        Self::Full(Full::new(bytes.into()))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match self.get_mut() {
            Self::Full(bytes) => Pin::new(bytes)
                .poll_frame(cx)
                .map_err(|never: std::convert::Infallible| match never {}),
            Self::Answer(answer) => Pin::new(answer).poll_frame(cx),
            Self::InUse(answer) => Pin::new(&mut **answer).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_end_stream(),
            Self::Answer(answer) => answer.is_end_stream(),
            Self::InUse(answer) => answer.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => bytes.size_hint(),
            Self::Answer(answer) => answer.size_hint(),
            Self::InUse(answer) => answer.size_hint(),
        }
    }
}

/// The body of an answer, counted while the client takes it.
#[derive(Debug)]
pub(super) struct Tracked {
    body: Body,
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

impl Tracked {
    /// An answer by HTTP/1.1. The request is open until it is dropped.
    pub(super) fn http1(body: Body, request: OpenRequest) -> Self {
        request.clients_turn();
        Self { body, taking: Taking::Http1(request), rest: Bytes::new() }
    }

    /// An answer by HTTP/2.
    pub(super) fn http2(body: Body, stream: Arc<Stream>) -> Self {
        stream.request.clients_turn();
        Self { body, taking: Taking::Http2(stream), rest: Bytes::new() }
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if self.rest.is_empty() {
            Pin::new(&mut self.body).poll_frame(cx)
        } else {
            Poll::Ready(Some(Ok(Frame::data(std::mem::take(&mut self.rest)))))
        }
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

impl http_body::Body for Tracked {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
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

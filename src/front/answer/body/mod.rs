//! The body of every answer the front gives: a page of its own, or what an
//! application sends, passed on frame by frame.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::Full;

use crate::front::upstream::{AnswerBody, BodyError};
use in_use::InUse;

pub(in crate::front) mod in_use;

/// The body of an answer. One of the front's own is made in this room only.
#[derive(Debug)]
pub(in crate::front) struct Body(Source);

#[derive(Debug)]
enum Source {
    /// Bytes at hand.
    Own(Full<Bytes>),
    /// An application's answer, as it arrives.
    Application(AnswerBody),
    /// The same, to somebody whose session it is a use of.
    InUse(Box<InUse>),
}

impl Body {
    pub(in crate::front::answer) fn own(bytes: impl Into<Bytes>) -> Self {
        Self(Source::Own(Full::new(bytes.into())))
    }

    /// No bytes at all: a tunnel begins behind the head.
    pub(in crate::front) fn of_tunnel() -> Self {
        Self::own(Bytes::new())
    }

    /// An application's answer.
    pub(in crate::front) const fn of_application(answer: AnswerBody) -> Self {
        Self(Source::Application(answer))
    }

    /// An application's answer that lasts.
    pub(in crate::front) fn in_use(answer: InUse) -> Self {
        Self(Source::InUse(Box::new(answer)))
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        match &mut self.get_mut().0 {
            Source::Own(bytes) => Pin::new(bytes)
                .poll_frame(cx)
                .map_err(|never: std::convert::Infallible| match never {}),
            Source::Application(answer) => Pin::new(answer).poll_frame(cx),
            Source::InUse(answer) => Pin::new(&mut **answer).poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Own(bytes) => bytes.is_end_stream(),
            Source::Application(answer) => answer.is_end_stream(),
            Source::InUse(answer) => answer.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Own(bytes) => bytes.size_hint(),
            Source::Application(answer) => answer.size_hint(),
            Source::InUse(answer) => answer.size_hint(),
        }
    }
}

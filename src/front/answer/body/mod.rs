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

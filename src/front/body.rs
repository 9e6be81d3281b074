//! The body of every answer the front gives: a page of its own, or what an
//! application sends, passed on frame by frame.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use http_body_util::Full;

use super::in_use::InUse;
use super::upstream::{AnswerBody, BodyError};

/// The body of an answer.
#[derive(Debug)]
pub enum Body {
    /// Bytes at hand.
    Full(Full<Bytes>),
    /// An application's answer, as it arrives.
    Answer(AnswerBody),
    /// The same, to somebody whose session it is a use of.
    InUse(Box<InUse>),
}

impl Body {
    /// No bytes at all.
    pub fn empty() -> Self {
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

/// A body that keeps something alive until it has ended.
#[derive(Debug)]
pub struct Tracked<G> {
    body: Body,
    _guard: G,
}

impl<G> Tracked<G> {
    /// `guard` is dropped with the body.
    pub const fn new(body: Body, guard: G) -> Self {
        Self { body, _guard: guard }
    }
}

impl<G: Unpin> http_body::Body for Tracked<G> {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        Pin::new(&mut self.get_mut().body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

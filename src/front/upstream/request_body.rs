//! A client's request on its way to the application, frame by frame.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};

use super::error::BodyError;
use super::head::rules::HeaderRules;
use super::stall::Stall;
use crate::clock;
use crate::front::connection::body::upload::Upload;

/// A client's request on its way to the application.
pub(super) struct RequestBody(Option<Passing>);

struct Passing {
    upload: Upload,
    rules: Arc<HeaderRules>,
    stall: Stall,
    limit: Duration,
    /// Where the length is known: the time that it may take at most.
    deadline: Option<Deadline>,
    moved: Arc<AtomicBool>,
}

#[derive(Clone, Copy)]
struct Deadline {
    began: Instant,
    length: u64,
    limit: Duration,
}

impl Deadline {
    /// So long, and once more for every 16 KB.
    fn new(length: u64, still: Duration) -> Self {
        let parts = u32::try_from(length / LEAST).unwrap_or(u32::MAX);
        let limit = still.saturating_mul(PERIODS.saturating_add(parts));
        Self { began: clock::instant(), length, limit }
    }

    fn is_over(&self) -> Option<BodyError> {
        let Self { began, length, limit } = *self;
        (began.elapsed() > limit).then_some(BodyError::ClientDribbled { length, limit })
    }
}

impl RequestBody {
    pub(super) const fn empty() -> Self {
        Self(None)
    }

    /// A body that may stand still for `limit`, and the flag that it raises
    /// whenever something arrives.
    pub(super) fn new(
        upload: Upload,
        rules: &Arc<HeaderRules>,
        limit: Duration,
    ) -> (Self, Option<Arc<AtomicBool>>) {
        if upload.is_end_stream() {
            return (Self::empty(), None);
        }
        let moved = Arc::new(AtomicBool::new(false));
        let (rules, stall) = (Arc::clone(rules), Stall::new(limit));
        let deadline = upload.size_hint().exact().map(|length| Deadline::new(length, limit));
        let passing = Passing { upload, rules, stall, limit, deadline, moved: Arc::clone(&moved) };
        (Self(Some(passing)), Some(moved))
    }

    /// Whether there is nothing to send.
    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_none()
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let Some(passing) = &mut self.0 else { return Poll::Ready(None) };
        match Pin::new(&mut passing.upload).poll_frame(cx) {
            Poll::Ready(frame) => {
                if let Some(over) = passing.deadline.as_ref().and_then(Deadline::is_over) {
                    return Poll::Ready(Some(Err(over)));
                }
                // An empty frame of HTTP/2 costs its sender nothing, and is no movement.
                let is_empty = matches!(&frame, Some(Ok(frame)) if frame.data_ref().is_some_and(Bytes::is_empty));
                if !is_empty {
                    passing.stall.moved();
                    passing.moved.store(true, Ordering::Relaxed);
                }
                Poll::Ready(frame.map(|frame| {
                    frame
                        .map(|frame| with_few_trailers(frame, &passing.rules))
                        .map_err(BodyError::Client)
                }))
            }
            Poll::Pending => {
                ready!(passing.stall.poll(cx));
                Poll::Ready(Some(Err(BodyError::ClientStalled(passing.limit))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|passing| passing.upload.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |passing| passing.upload.size_hint())
    }
}

pub(super) fn with_few_trailers(frame: Frame<Bytes>, rules: &HeaderRules) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            rules.strip_trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

/// A body may take this many times the limit on standing still, and once more for every [`LEAST`] bytes.
const PERIODS: u32 = 10;
const LEAST: u64 = 16 * 1024;

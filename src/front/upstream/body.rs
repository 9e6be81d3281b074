//! Bodies on their way through: frame by frame, none of them kept.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use thiserror::Error;

use super::headers::HeaderRules;
use super::link::Link;
use super::pool::Application;
use super::stall::Stall;
use crate::clock;
use crate::front::body::upload::Upload;

/// Why a body broke off.
#[derive(Debug, Error)]
pub(crate) enum BodyError {
    /// The client went away, or sent what is no body.
    #[error("the client's request broke off: {0}")]
    Client(hyper::Error),
    /// The client stood still.
    #[error("the client sent nothing of its request for {} s (front.body_timeout)", .0.as_secs())]
    ClientStalled(Duration),
    /// The client sent a byte now and then.
    #[error(
        "the client's request of {length} bytes took longer than {} s (in proportion to front.body_timeout)",
        limit.as_secs()
    )]
    ClientDribbled {
        /// Of the body.
        length: u64,
        /// The limit.
        limit: Duration,
    },
    /// The application went away, or sent what is no body.
    #[error(
        "the answer of the application at {address} broke off: {source}; its log should say why"
    )]
    Application {
        /// The application.
        address: Arc<str>,
        /// What hyper says.
        source: hyper::Error,
    },
    /// The application stood still.
    #[error(
        "the application at {address} sent nothing of its answer for {} s (front.body_timeout)",
        limit.as_secs()
    )]
    ApplicationStalled {
        /// The application.
        address: Arc<str>,
        /// The limit.
        limit: Duration,
    },
}

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

fn with_few_trailers(frame: Frame<Bytes>, rules: &HeaderRules) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            rules.strip_trailers(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

/// An application's answer on its way to the client. Reading it drives the
/// connection; at its end the connection is parked for the next request.
#[derive(Debug)]
pub(crate) struct AnswerBody {
    incoming: Incoming,
    link: Option<Box<Link>>,
    application: Arc<Application>,
    rules: Arc<HeaderRules>,
    stall: Stall,
    limit: Duration,
}

impl AnswerBody {
    pub(super) fn new(
        incoming: Incoming,
        link: Box<Link>,
        application: &Arc<Application>,
        rules: &Arc<HeaderRules>,
        limit: Duration,
    ) -> Self {
        let (application, rules) = (Arc::clone(application), Arc::clone(rules));
        let (link, stall) = (Some(link), Stall::new(limit));
        let mut body = Self { incoming, link, application, rules, stall, limit };
        if body.incoming.is_end_stream() {
            body.release();
        }
        body
    }

    fn poll_incoming(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // Asking for a frame first tells the connection that one is wanted.
        if let Poll::Ready(frame) = Pin::new(&mut self.incoming).poll_frame(cx) {
            return Poll::Ready(frame);
        }
        if let Some(link) = &mut self.link {
            link.drive(cx);
        }
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn release(&mut self) {
        if let Some(link) = self.link.take() {
            self.application.park(link);
        }
    }
}

impl Body for AnswerBody {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        let frame = match this.poll_incoming(cx) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                ready!(this.stall.poll(cx));
                this.link = None;
                let address = Arc::clone(this.application.address());
                let stalled = BodyError::ApplicationStalled { address, limit: this.limit };
                return Poll::Ready(Some(Err(stalled)));
            }
        };
        this.stall.moved();
        match frame {
            Some(Ok(frame)) => {
                if this.incoming.is_end_stream() {
                    this.release();
                }
                Poll::Ready(Some(Ok(with_few_trailers(frame, &this.rules))))
            }
            Some(Err(source)) => {
                this.link = None;
                let address = Arc::clone(this.application.address());
                Poll::Ready(Some(Err(BodyError::Application { address, source })))
            }
            None => {
                this.release();
                Poll::Ready(None)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

/// A body may take this many times the limit on standing still, and once more for every [`LEAST`] bytes.
const PERIODS: u32 = 10;
const LEAST: u64 = 16 * 1024;

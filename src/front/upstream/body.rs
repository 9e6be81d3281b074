//! Bodies on their way through: frame by frame, none of them kept.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use thiserror::Error;

use super::headers::HeaderRules;
use super::link::Link;
use super::pool::Application;
use super::stall::Stall;

/// Why a body broke off.
#[derive(Debug, Error)]
pub enum BodyError {
    /// The client went away, or sent what is no body.
    #[error("the client's request broke off: {0}")]
    Client(hyper::Error),
    /// The client stood still.
    #[error("the client sent nothing of its request for {} s (front.body_timeout)", .0.as_secs())]
    ClientStalled(Duration),
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

/// A client's request on its way to the application. Identity headers among
/// its trailers are removed.
pub(super) struct RequestBody(Option<Upload>);

struct Upload {
    incoming: Incoming,
    rules: Arc<HeaderRules>,
    stall: Stall,
    limit: Duration,
    moved: Arc<AtomicBool>,
}

impl RequestBody {
    pub(super) const fn empty() -> Self {
        Self(None)
    }

    /// A body that may stand still for `limit`, and the flag that it raises
    /// whenever something arrives.
    pub(super) fn new(
        incoming: Incoming,
        rules: &Arc<HeaderRules>,
        limit: Duration,
    ) -> (Self, Option<Arc<AtomicBool>>) {
        if incoming.is_end_stream() {
            return (Self::empty(), None);
        }
        let moved = Arc::new(AtomicBool::new(false));
        let (rules, stall) = (Arc::clone(rules), Stall::new(limit));
        let upload = Upload { incoming, rules, stall, limit, moved: Arc::clone(&moved) };
        (Self(Some(upload)), Some(moved))
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
        let Some(upload) = &mut self.0 else { return Poll::Ready(None) };
        match Pin::new(&mut upload.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                upload.stall.moved();
                upload.moved.store(true, Ordering::Relaxed);
                Poll::Ready(frame.map(|frame| {
                    frame
                        .map(|frame| without_identity(frame, &upload.rules))
                        .map_err(BodyError::Client)
                }))
            }
            Poll::Pending => {
                ready!(upload.stall.poll(cx));
                Poll::Ready(Some(Err(BodyError::ClientStalled(upload.limit))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.0.as_ref().is_none_or(|upload| upload.incoming.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        self.0.as_ref().map_or(SizeHint::with_exact(0), |upload| upload.incoming.size_hint())
    }
}

fn without_identity(frame: Frame<Bytes>, rules: &HeaderRules) -> Frame<Bytes> {
    match frame.into_trailers() {
        Ok(mut trailers) => {
            rules.remove_identity(&mut trailers);
            Frame::trailers(trailers)
        }
        Err(frame) => frame,
    }
}

/// An application's answer on its way to the client. Reading it drives the
/// connection; at its end the connection is parked for the next request.
#[derive(Debug)]
pub struct AnswerBody {
    incoming: Incoming,
    link: Option<Box<Link>>,
    application: Arc<Application>,
    stall: Stall,
    limit: Duration,
}

impl AnswerBody {
    pub(super) fn new(
        incoming: Incoming,
        link: Box<Link>,
        application: &Arc<Application>,
        limit: Duration,
    ) -> Self {
        let (application, stall) = (Arc::clone(application), Stall::new(limit));
        let mut body = Self { incoming, link: Some(link), application, stall, limit };
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
                Poll::Ready(Some(Ok(frame)))
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

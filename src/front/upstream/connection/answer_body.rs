//! An application's answer on its way to the client, frame by frame.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::UpstreamConnection;
use super::pool::Application;
use crate::front::upstream::error::BodyError;
use crate::front::upstream::head::rules::HeaderRules;
use crate::front::upstream::request_body::with_few_trailers;
use crate::front::upstream::stall::Stall;

/// An application's answer on its way to the client. Reading it drives the
/// connection; at its end the connection is parked for the next request.
#[derive(Debug)]
pub(in crate::front) struct AnswerBody {
    incoming: Incoming,
    connection: Option<Box<UpstreamConnection>>,
    application: Arc<Application>,
    rules: Arc<HeaderRules>,
    stall: Stall,
    limit: Duration,
}

impl AnswerBody {
    pub(in crate::front::upstream) fn new(
        incoming: Incoming,
        connection: Box<UpstreamConnection>,
        application: &Arc<Application>,
        rules: &Arc<HeaderRules>,
        limit: Duration,
    ) -> Self {
        let (application, rules) = (Arc::clone(application), Arc::clone(rules));
        let (connection, stall) = (Some(connection), Stall::new(limit));
        let mut body = Self { incoming, connection, application, rules, stall, limit };
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
        if let Some(connection) = &mut self.connection {
            connection.drive(cx);
        }
        Pin::new(&mut self.incoming).poll_frame(cx)
    }

    fn release(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.application.park(connection);
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
                this.connection = None;
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
                this.connection = None;
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

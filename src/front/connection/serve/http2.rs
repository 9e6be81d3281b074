//! HTTP/2: the hyper loop.

use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};

use super::closing::{self, Announced};
use super::{Limits, stopped_reading, wait_until_idle};
use crate::front::Front;
use crate::front::answer::NeedsHttp1;
use crate::front::body::Tracked;
use crate::front::connection::Connection;
use crate::front::connection::activity::OpenRequest;
use crate::front::connection::body::upload::Upload;
use crate::front::connection::stream::streams::{Stream, Streams};
use crate::front::connection::stream::{Noted, Output};
use crate::front::door::{self as front_http};

/// Serves a connection, of which `early` was read already.
pub(super) async fn serve<S>(
    front: &Arc<Front>,
    connection: &Arc<Connection>,
    stream: S,
    early: Bytes,
    limits: &Limits,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let activity = &connection.activity;
    let still = limits.body;
    let service = service_fn(|request: Request<Incoming>| {
        let (front, connection) = (Arc::clone(front), Arc::clone(connection));
        async move {
            let (head, body) = request.into_parts();
            // What nobody reads is reset with NO_ERROR once the answer is given (RFC 9113 section 8.1).
            let (body, rest) = Upload::new(body);
            let announced = Announced::by(&head.headers);
            let request = Request::from_parts(head, body);
            // Boxed when it begins and freed when it ends: before and after, a stream is
            // no more than a request or an answer.
            let answer = Box::pin(front_http::answer(front, &connection, request)).await;
            if let Some(rest) = rest {
                closing::settle_stream(&rest, announced, still);
            }
            if answer.extensions().get::<NeedsHttp1>().is_some() {
                return Err(h2::Error::from(h2::Reason::HTTP_1_1_REQUIRED));
            }
            Ok(answer.map(|body| match Stream::current() {
                Some(stream) => Tracked::http2(body, stream),
                None => Tracked::http1(body, OpenRequest::new(&connection.activity)),
            }))
        }
    });
    let output = Arc::new(Output::default());
    let stream = Noted::http2(stream, early, Arc::clone(&output));
    let streams = Streams::new(activity);
    let serving = builder(limits, &streams).serve_connection(TokioIo::new(stream), service);
    let mut serving = Box::pin(serving);
    let mut idle = pin!(wait_until_idle(activity, limits));
    let mut stalled = pin!(output.wait_until_stalled(limits.body));
    let mut no_window = pin!(streams.wait_until_stalled(limits.body));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %connection.peer, %error, "a connection broke");
                }
                return;
            }
            () = idle.as_mut() => return,
            () = stalled.as_mut() => return stopped_reading(front, connection),
            () = no_window.as_mut() => return stopped_reading(front, connection),
            () = front.stop.cancelled(), if !stopping => {
                stopping = true;
                serving.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Bounds on what a client that reads and writes as it likes makes us keep. h2
/// itself ends connections that flood it with CONTINUATION, resets or empty frames.
fn builder(limits: &Limits, streams: &Streams) -> http2::Builder<Streams> {
    let mut builder = http2::Builder::new(streams.clone());
    builder
        .timer(TokioTimer::new())
        // What is a little too large is read, and its sender told so.
        .max_header_list_size(
            u32::try_from(limits.header_bytes.saturating_add(TOO_LARGE)).unwrap_or(u32::MAX),
        )
        .max_concurrent_streams(128)
        .initial_stream_window_size(WINDOW)
        .initial_connection_window_size(WINDOW)
        .max_send_buf_size(SEND_BUFFER)
        .keep_alive_interval(limits.idle)
        .keep_alive_timeout(limits.first_request);
    builder
}

const TOO_LARGE: usize = 256 * 1024;
/// Of bodies that nobody has read yet, so much is kept.
const WINDOW: u32 = 256 * 1024;
/// Of an answer that the client has not taken yet.
const SEND_BUFFER: usize = 64 * 1024;

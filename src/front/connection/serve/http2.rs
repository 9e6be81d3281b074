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

use super::closing::take_in;
use super::needs::NeedsHttp1;
use super::service::Service;
use super::{Limits, Server};
use crate::front::connection::Connection;
use crate::front::connection::activity::OpenRequest;
use crate::front::connection::body::tracked::Tracked;
use crate::front::connection::stream::streams::{Stream, Streams};
use crate::front::connection::stream::{Noted, Output};

/// Serves a connection, of which `early` was read already.
pub(super) async fn serve<S, V>(
    server: &Server<'_, V>,
    connection: &Arc<Connection>,
    stream: S,
    early: Bytes,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    V: Service,
{
    let (activity, limits) = (&connection.activity, &server.limits);
    let still = limits.body;
    let service = service_fn(|request: Request<Incoming>| {
        let (service, connection) = (server.service.clone(), Arc::clone(connection));
        async move {
            // What nobody reads is reset with NO_ERROR once the answer is given (RFC 9113 section 8.1).
            let (request, unsettled) = take_in(request);
            // Boxed when it begins and freed when it ends: before and after, a stream is
            // no more than a request or an answer.
            let answer = Box::pin(service.answer(&connection, request)).await;
            if let Some(unsettled) = unsettled {
                unsettled.settle_stream(still);
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
    let no_window = streams.wait_until_stalled(limits.body);
    let mut given_up = pin!(server.give_up(connection, &output, no_window));
    let mut stopping = false;
    loop {
        tokio::select! {
            ended = serving.as_mut() => {
                if let Err(error) = ended {
                    tracing::debug!(peer = %connection.peer, %error, "a connection broke");
                }
                return;
            }
            () = given_up.as_mut() => return,
            () = server.stop.cancelled(), if !stopping => {
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

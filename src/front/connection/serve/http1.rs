//! HTTP/1.1: the hyper loop, and what comes after it.

use std::convert::Infallible;
use std::future::pending;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::{Request, StatusCode};
use hyper::body::{Body as _, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::closing::{self, linger, take_in};
use super::service::Service;
use super::unread::Unread;
use super::{Limits, Server};
use crate::front::connection::Connection;
use crate::front::connection::activity::OpenRequest;
use crate::front::connection::body::tracked::Tracked;
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
    let body_left = Arc::new(AtomicBool::new(false));
    let still = limits.body;
    let service = service_fn(|request: Request<Incoming>| {
        let open = OpenRequest::new(activity);
        let (service, connection) = (server.service.clone(), Arc::clone(connection));
        let body_left = Arc::clone(&body_left);
        let (request, unsettled) = take_in(request);
        // Here and not when it is polled: hyper may read on at once.
        let is_read = unsettled.as_ref().map(|unsettled| unsettled.rest.is_read());
        activity.body_begins(request.body().size_hint().exact(), is_read);
        async move {
            let mut answer = service.answer(&connection, request).await;
            if let Some(unsettled) = unsettled {
                open.clients_turn();
                if unsettled.settle(still, &mut answer).await {
                    body_left.store(true, Ordering::Relaxed);
                }
            }
            if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                connection.activity.becomes_tunnel();
            }
            Ok::<_, Infallible>(answer.map(|body| Tracked::http1(body, open)))
        }
    });
    let output = Arc::new(Output::default());
    let stream = Noted::http1(stream, early, Arc::clone(&output), connection);
    let mut serving =
        builder(limits).serve_connection(TokioIo::new(stream), service).with_upgrades();
    let mut given_up = pin!(server.give_up(connection, &output, pending()));
    let mut stopping = false;
    let ended = loop {
        tokio::select! {
            ended = &mut serving => break ended,
            () = given_up.as_mut() => return,
            () = server.stop.cancelled(), if !stopping => {
                stopping = true;
                std::pin::Pin::new(&mut serving).graceful_shutdown();
            }
        }
    };
    if let Err(error) = &ended {
        tracing::debug!(peer = %connection.peer, %error, "a connection broke");
    }
    // A tunnel has taken the stream with it.
    let Some(parts) = serving.into_parts() else { return };
    let (mut stream, refused) = parts.io.into_inner().into_inner();
    if let Some(head) = refused {
        let why = ended.err().map_or_else(String::new, |error| error.to_string());
        let unread =
            Unread::by_parser(&head, &parts.read_buf, &why, limits.header_bytes, connection.peer);
        closing::close_unread(server, stream, &unread).await;
    } else if body_left.load(Ordering::Relaxed) && ended.is_ok() {
        linger(&mut stream, limits).await;
    }
}

fn builder(limits: &Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .max_buf_size(limits.header_bytes + MAX_REQUEST_LINE)
        .max_headers(MAX_HEADERS)
        .half_close(false);
    builder
}

/// Together with the header lines. A target of 64 KB is the longest that is read at all.
const MAX_REQUEST_LINE: usize = 68 * 1024;
/// Lines of a head.
const MAX_HEADERS: usize = 512;

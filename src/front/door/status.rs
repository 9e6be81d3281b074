//! The status listener: `/metrics`, `/health`, `/ready`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::front::readiness::Report;
use crate::front::state::Front;

/// Serves the status pages on one connection.
pub(in crate::front) async fn serve(front: &Arc<Front>, stream: TokioIo<TcpStream>) {
    let service = service_fn(|request: Request<Incoming>| async move {
        Ok::<_, Infallible>(answer(front, request.uri().path()).await)
    });
    let serving = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(30))
        .serve_connection(stream, service);
    if let Some(Err(error)) = front.stop.run_until_cancelled(serving).await {
        tracing::debug!(%error, "a status connection broke");
    }
}

async fn answer(front: &Front, path: &str) -> Response<Full<Bytes>> {
    match path {
        "/metrics" => respond(StatusCode::OK, "text/plain; version=0.0.4", front.counted.render()),
        "/health" => respond(StatusCode::OK, "application/json", "{\"alive\":true}\n"),
        "/ready" => {
            let seen = front.readiness.look().await;
            let ready = seen.is_ready();
            let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let trusted = &front.live().settings.front.trusted_proxies;
            let report = Report::new(&seen, front.unlisted.notices(trusted));
            let text = serde_json::to_vec(&report).unwrap_or_default();
            respond(status, "application/json", text)
        }
        _ => respond(StatusCode::NOT_FOUND, "text/plain", "/metrics, /health, /ready\n"),
    }
}

fn respond(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<Bytes>,
) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

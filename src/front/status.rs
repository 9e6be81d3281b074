//! The status listener: `/metrics`, `/health`, `/ready`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::Serialize;
use tokio::net::TcpStream;

use super::Front;
use super::body::Body;
use crate::keytab;

/// What `/ready` says: each part is `ok`, or why it is not.
#[derive(Debug, Serialize)]
struct Ready {
    ready: bool,
    keytab: String,
    core: String,
    audit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    ntlm: Option<String>,
}

/// Serves the status pages on one connection.
pub async fn serve(front: &Arc<Front>, stream: TokioIo<TcpStream>) {
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

async fn answer(front: &Front, path: &str) -> Response<Body> {
    match path {
        "/metrics" => respond(StatusCode::OK, "text/plain; version=0.0.4", front.metrics.render()),
        "/health" => respond(StatusCode::OK, "application/json", "{\"alive\":true}\n"),
        "/ready" => {
            let ready = ready(front).await;
            let status = if ready.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
            let text = serde_json::to_vec(&ready).unwrap_or_default();
            respond(status, "application/json", text)
        }
        _ => respond(StatusCode::NOT_FOUND, "text/plain", "/metrics, /health, /ready\n"),
    }
}

async fn ready(front: &Front) -> Ready {
    let live = front.live();
    let path = live.settings.sso.kerberos.keytab.clone();
    let keytab = tokio::task::spawn_blocking(move || keytab::read(&path).map(drop)).await;
    let keytab = match keytab {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(error) => Err(error.to_string()),
    };
    let core = front.core.ready().await.map_err(|no| no.detail);
    let audit = front.audit.ready();
    let ntlm = live.ntlm.as_ref().map(|acceptor| acceptor.ready());
    let say = |part: &Result<(), String>| part.clone().err().unwrap_or_else(|| "ok".to_owned());
    let ntlm_counts = !live.settings.sso.mechanisms_by_default;
    let ntlm_ready = !ntlm_counts || ntlm.as_ref().is_none_or(Result::is_ok);
    Ready {
        ready: keytab.is_ok() && core.is_ok() && audit.is_ok() && ntlm_ready,
        keytab: say(&keytab),
        core: say(&core),
        audit: say(&audit),
        ntlm: ntlm.as_ref().map(say),
    }
}

fn respond(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<bytes::Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

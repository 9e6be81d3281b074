//! Pages and JSON as responses, with the headers of all that the front itself writes.

use askama::Template;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderValue, Response, StatusCode};
use serde::Serialize;

use super::body::Body;
use super::pages;

pub(super) fn html(status: StatusCode, page: &impl Template) -> Response<Body> {
    let text = page.render().unwrap_or_else(|error| {
        tracing::error!(%error, "a page could not be rendered");
        String::from("The page could not be rendered.")
    });
    respond(status, "text/html; charset=utf-8", text)
}

pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let text = serde_json::to_vec(value).unwrap_or_else(|error| {
        tracing::error!(%error, "an answer could not be written as JSON");
        b"{}".to_vec()
    });
    respond(status, "application/json", text)
}

fn respond(
    status: StatusCode,
    kind: &'static str,
    body: impl Into<bytes::Bytes>,
) -> Response<Body> {
    let mut response = Response::new(Body::own(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    for (name, value) in own_headers(kind) {
        headers.insert(name, HeaderValue::from_static(value));
    }
    headers.insert(CONTENT_SECURITY_POLICY, pages::POLICY.clone());
    response
}

const fn own_headers(kind: &'static str) -> [(HeaderName, &'static str); 4] {
    [
        (CONTENT_TYPE, kind),
        (CACHE_CONTROL, "no-store"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
    ]
}

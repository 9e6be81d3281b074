//! The paths of the API: reads requests, asks the desk, writes answers.

use std::net::IpAddr;

use axum::body::Body;
use axum::extract::{Path, Request};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use http::{HeaderValue, StatusCode, Uri, header};
use tokio_util::sync::CancellationToken;

use crate::core_server::desk::Desk;
use crate::core_server::peer::Remote;
use crate::core_server::refusal::Refusal;
use crate::hsts;
use crate::wire::ErrorWord;
use crate::wire::admin::{KeyList, SessionList};
use crate::wire::attempts::AttemptAnswers;
use crate::wire::key::is_session_id;
use crate::wire::open::{Fields, Mixed};
use crate::wire::{OpenSession, SessionKey, SignOnAnswer, SignOnAnswers, SignOns, Whoami};

mod body;
mod page;

use body::{MAX_REQUEST, MAX_SIGN_ONS, STRANGERS_REQUEST};

/// Who asks. Each request is given it by its connection.
#[derive(Clone, Debug)]
pub(in crate::core_server) struct Asker {
    /// The core, as this peer may use it.
    pub(in crate::core_server) desk: Desk,
    pub(in crate::core_server) remote: Remote,
    /// Ends with the connection.
    pub(in crate::core_server) stop: CancellationToken,
}

type By = Extension<Asker>;

pub(in crate::core_server) fn router() -> Router {
    Router::new()
        .route("/v1/sessions", post(open).get(sessions))
        .route("/v1/sessions/{id}", get(resolve).delete(end))
        .route("/v1/sign-ons", post(open_many))
        .route("/v1/attempts", post(attempts))
        .route("/v1/whoami", get(whoami))
        .route("/v1/events", get(events))
        .route("/v1/keys", get(keys))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(middleware::from_fn(guarded))
}

/// Tells browsers that stray here what not to do with an answer.
async fn guarded(by: By, request: Request, next: Next) -> Response {
    let tls = matches!(by.remote, Remote::Client(_));
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let policy = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
    headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    if tls {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(hsts::ONE_YEAR));
    }
    response
}

async fn open(by: By, body: Body) -> Result<Response, Refusal> {
    let request = body::read(body, most(&by.desk, MAX_REQUEST)).await?;
    let session = by.desk.open(understood(request)).await?;
    Ok((StatusCode::CREATED, Json(session)).into_response())
}

async fn open_many(by: By, body: Body) -> Result<Json<SignOnAnswers>, Refusal> {
    let asked = body::read(body, most(&by.desk, MAX_SIGN_ONS)).await;
    let requests = |SignOns { proofs }| proofs.into_iter().map(understood).collect();
    let answers = by.desk.open_many(asked.map(requests)).await?;
    let word = |answer| match answer {
        Ok(session) => SignOnAnswer::Granted(session),
        Err(refusal) => SignOnAnswer::Refused(Refusal::into_body(refusal)),
    };
    Ok(Json(SignOnAnswers { answers: answers.into_iter().map(word).collect() }))
}

async fn attempts(by: By, body: Body) -> Result<Json<AttemptAnswers>, Refusal> {
    let asked = body::read(body, most(&by.desk, MAX_REQUEST)).await;
    by.desk.attempts(asked).map(Json)
}

async fn resolve(by: By, Path(id): Path<String>, uri: Uri) -> Result<Response, Refusal> {
    match listed_id(&id) {
        Some(key) => by.desk.see(key).map(|entry| Json(entry).into_response()),
        None => Ok(Json(by.desk.resolve(id, client(&uri)).await?).into_response()),
    }
}

async fn end(by: By, Path(id): Path<String>) -> Result<StatusCode, Refusal> {
    match listed_id(&id) {
        Some(key) => by.desk.end_listed(key).await?,
        None => by.desk.end(&id).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn sessions(by: By, uri: Uri) -> Result<Json<SessionList>, Refusal> {
    by.desk.sessions(page::read(&uri, &["limit", "after", "user", "id"])).map(Json)
}

async fn keys(by: By, uri: Uri) -> Result<Json<KeyList>, Refusal> {
    by.desk.keys(page::read(&uri, &["limit", "after"])).await.map(Json)
}

async fn whoami(by: By) -> Result<Json<Whoami>, Refusal> {
    by.desk.whoami().map(Json)
}

async fn events(by: By) -> Result<Response, Refusal> {
    let events = by.desk.events(by.remote.clone(), by.stop.child_token())?;
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, Body::new(events)).into_response())
}

async fn unknown_path() -> Refusal {
    Refusal::new(ErrorWord::NotFound, "The core's API has no such path.")
}

async fn wrong_method() -> Refusal {
    let message = "The core's API has this path, but not with this method; see Allow.";
    Refusal::new(ErrorWord::MethodNotAllowed, message)
}

fn understood(fields: Fields<'_>) -> Result<OpenSession, Mixed> {
    OpenSession::try_from(fields)
}

/// Administrators name sessions by their id in lists; all else is a secret, or meant to be one.
fn listed_id(id: &str) -> Option<SessionKey> {
    if is_session_id(id) { None } else { id.parse().ok() }
}

/// What a peer may send at once.
fn most(desk: &Desk, of_proofs: usize) -> usize {
    if desk.takes_proofs() { of_proofs } else { STRANGERS_REQUEST }
}

/// `?client=ADDRESS`: who presented the session's id.
fn client(uri: &Uri) -> Result<Option<IpAddr>, Refusal> {
    let Some(query) = uri.query() else { return Ok(None) };
    let address = query.strip_prefix("client=").and_then(|address| address.parse().ok());
    address.map(Some).ok_or_else(|| {
        Refusal::bad_request("The only parameter is client=, with an address as its value.")
    })
}

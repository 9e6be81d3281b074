//! The paths of the API: reads requests, asks the core, writes answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Json, Router};
use bytes::BytesMut;
use http::{HeaderValue, StatusCode, Uri, header};
use http_body_util::BodyExt;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::clock;
use crate::core_server::Core;
use crate::core_server::peer::Peer;
use crate::core_server::peer::certificate::Client;
use crate::core_server::peer::program::Program;
use crate::core_server::policy::{Ask, allowed};
use crate::core_server::refusal::Refusal;
use crate::core_server::store::WriteError;
use crate::hsts;
use crate::wire::attempts::{AttemptAnswers, Attempts};
use crate::wire::key::is_session_id;
use crate::wire::{
    Ending, OpenSession, Session, SessionKey, SignOnAnswer, SignOnAnswers, SignOns, Whoami,
};

mod admin;

pub(in crate::core_server) use admin::Page;

/// The facts that each request is given of its connection.
#[derive(Clone, Debug)]
pub(in crate::core_server) struct Connection {
    pub(in crate::core_server) peer: Arc<Peer>,
    pub(in crate::core_server) bearer: Bearer,
    pub(in crate::core_server) stop: CancellationToken,
}

/// The other end, from which follows who the peer is.
#[derive(Clone, Debug)]
pub(in crate::core_server) enum Bearer {
    /// Of the unix socket.
    Program(Arc<Program>),
    /// Of TLS.
    Client(Arc<Client>),
}

type Facts = Extension<Connection>;

pub(in crate::core_server) fn router(core: Arc<Core>) -> Router {
    Router::new()
        .route("/v1/sessions", post(open).get(admin::sessions))
        .route("/v1/sessions/{id}", get(resolve).delete(end))
        .route("/v1/sign-ons", post(open_many))
        .route("/v1/attempts", post(attempts))
        .route("/v1/whoami", get(whoami))
        .route("/v1/events", get(events))
        .route("/v1/keys", get(admin::keys))
        .fallback(nowhere)
        .method_not_allowed_fallback(otherwise)
        .layer(middleware::from_fn(guarded))
        .with_state(core)
}

/// Tells browsers that stray here what not to do with an answer.
async fn guarded(facts: Facts, request: Request, next: Next) -> Response {
    let tls = matches!(facts.bearer, Bearer::Client(_));
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

async fn open(
    State(core): State<Arc<Core>>,
    facts: Facts,
    body: Body,
) -> Result<Response, Refusal> {
    let request: OpenSession = read(body, largest(&facts.peer)).await?;
    if request.password.is_some() {
        let peer = Arc::clone(&facts.peer);
        let open = async move { core.open_by_password(&peer, request, clock::now()).await };
        return to_the_end(open).await?.map(created);
    }
    let answers = open_all(core, &facts, vec![request]).await?;
    // One wish, one answer.
    let answer = answers.into_iter().next().unwrap_or_else(|| Err(Refusal::not_found()));
    answer.map(created)
}

fn created(session: Session) -> Response {
    (StatusCode::CREATED, Json(session)).into_response()
}

async fn open_many(
    State(core): State<Arc<Core>>,
    facts: Facts,
    body: Body,
) -> Result<Json<SignOnAnswers>, Refusal> {
    permit(&core, &facts.peer, Ask::OpenByProof)?;
    let SignOns { proofs } = read(body, MAX_SIGN_ONS).await?;
    let answers = open_all(core, &facts, proofs).await?;
    let word = |answer| match answer {
        Ok(session) => SignOnAnswer::Granted(session),
        Err(refusal) => SignOnAnswer::Refused(Refusal::into_body(refusal)),
    };
    Ok(Json(SignOnAnswers { answers: answers.into_iter().map(word).collect() }))
}

async fn attempts(
    State(core): State<Arc<Core>>,
    facts: Facts,
    body: Body,
) -> Result<Json<AttemptAnswers>, Refusal> {
    permit(&core, &facts.peer, Ask::Attempts)?;
    let attempts: Attempts = read(body, MAX_REQUEST).await?;
    Ok(Json(core.attempts(&facts.peer, attempts)))
}

async fn resolve(
    State(core): State<Arc<Core>>,
    facts: Facts,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, Refusal> {
    if let Some(key) = listed_id(&id) {
        return admin::session(&core, &facts, &key).map(|entry| Json(entry).into_response());
    }
    permit(&core, &facts.peer, Ask::Resolve)?;
    let (client, now) = (client(&uri)?, clock::now());
    let from = client.filter(|_| facts.peer.sees_clients());
    core.end_if_fallen(&id, from, now).await;
    let session = core.resolve(&facts.peer, id, client, now)?;
    Ok(Json(session).into_response())
}

async fn end(
    State(core): State<Arc<Core>>,
    facts: Facts,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (ask, key, why) = match listed_id(&id) {
        Some(key) => (Ask::Sessions, key, Ending::Admin),
        None => (Ask::End, SessionKey::of(&id), Ending::Logout),
    };
    permit(&core, &facts.peer, ask)?;
    let peer = Arc::clone(&facts.peer);
    to_the_end(async move { core.end(&peer, &key, why).await }).await??;
    Ok(StatusCode::NO_CONTENT)
}

async fn whoami(State(core): State<Arc<Core>>, facts: Facts) -> Result<Json<Whoami>, Refusal> {
    permit(&core, &facts.peer, Ask::Whoami)?;
    let peer = &facts.peer;
    Ok(Json(Whoami {
        peer: peer.credential().into(),
        uid: peer.uid(),
        key: peer.key().map(str::to_owned),
        acting_as: peer.acting_as(),
    }))
}

async fn events(State(core): State<Arc<Core>>, facts: Facts) -> Result<Response, Refusal> {
    permit(&core, &facts.peer, Ask::Events)?;
    let open = facts.stop.child_token();
    tokio::spawn(Arc::clone(&core).watch(facts.bearer.clone(), open.clone()));
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
    Ok((kind, Body::new(core.listen(open))).into_response())
}

impl Core {
    /// Ends what outlives its request as soon as the peer may not have it any more.
    async fn watch(self: Arc<Self>, bearer: Bearer, open: CancellationToken) {
        while open.run_until_cancelled(clock::pause(WATCH)).await.is_some() {
            let may = match &bearer {
                Bearer::Program(program) => {
                    let peer = self.judge_program(program).await;
                    peer.is_some_and(|peer| allowed(&peer, Ask::Events))
                }
                Bearer::Client(client) => {
                    let peer = self.weigh(client).await.and_then(Result::ok);
                    peer.is_some_and(|peer| allowed(&peer, Ask::Events))
                }
            };
            if !may {
                open.cancel();
            }
        }
    }
}

async fn nowhere() -> Refusal {
    Refusal::not_found()
}

async fn otherwise() -> Refusal {
    Refusal::method_not_allowed()
}

async fn open_all(
    core: Arc<Core>,
    facts: &Connection,
    requests: Vec<OpenSession>,
) -> Result<Vec<Result<Session, Refusal>>, Refusal> {
    let peer = Arc::clone(&facts.peer);
    to_the_end(async move { core.open(&peer, requests, clock::now()).await }).await
}

/// Administrators name sessions by their id in lists; all else is a secret, or meant to be one.
fn listed_id(id: &str) -> Option<SessionKey> {
    if is_session_id(id) { None } else { id.parse().ok() }
}

/// Does work that must not stop half way when the peer hangs up.
async fn to_the_end<T: Send + 'static>(
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Refusal> {
    tokio::spawn(work).await.map_err(|_| Refusal::unrecorded(WriteError::Failed))
}

fn permit(core: &Core, peer: &Peer, ask: Ask) -> Result<(), Refusal> {
    if allowed(peer, ask) { Ok(()) } else { Err(core.denied(peer, ask)) }
}

/// Reads a body of so many bytes, and what a peer sends beyond that to its end:
/// the answer would not reach it otherwise. Nothing of the rest is kept.
async fn read<T: DeserializeOwned>(mut body: Body, at_most: usize) -> Result<T, Refusal> {
    let mut bytes = BytesMut::new();
    let mut length = 0;
    let reading = async {
        while let Some(frame) = body.frame().await {
            let data = frame.map(|frame| frame.into_data().unwrap_or_default())?;
            length += data.len();
            if length > at_most {
                bytes = BytesMut::new();
            } else {
                bytes.extend_from_slice(&data);
            }
            if length > at_most.max(MAX_REQUEST) {
                break;
            }
        }
        Ok::<_, axum::Error>(())
    };
    let read = timeout(BODY_TIMEOUT, reading).await;
    if length > at_most {
        return Err(Refusal::too_large(at_most));
    }
    match read {
        Ok(Ok(())) => {}
        Ok(Err(error)) => {
            return Err(Refusal::bad_request(format!("The body cannot be read ({error}).")));
        }
        Err(_) => return Err(Refusal::bad_request("The body did not arrive in time.")),
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| Refusal::bad_request(format!("The body is not valid: {error}.")))
}

/// What a peer may send at once: proofs may be large, passwords and names are not.
fn largest(peer: &Peer) -> usize {
    if allowed(peer, Ask::OpenByProof) { MAX_REQUEST } else { STRANGERS_REQUEST }
}

/// `?client=ADDRESS`: who presented the session's id.
fn client(uri: &Uri) -> Result<Option<IpAddr>, Refusal> {
    let Some(query) = uri.query() else { return Ok(None) };
    let address = query.strip_prefix("client=").and_then(|address| address.parse().ok());
    address.map(Some).ok_or_else(|| {
        Refusal::bad_request("The only parameter is client=, with an address as its value.")
    })
}

const MAX_REQUEST: usize = 1 << 20;
/// Bytes of a request of whoever may not send proofs.
const STRANGERS_REQUEST: usize = 16 << 10;
const MAX_SIGN_ONS: usize = 16 << 20;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
/// How often an answer without end is asked whether it may go on.
const WATCH: Duration = Duration::from_secs(1);

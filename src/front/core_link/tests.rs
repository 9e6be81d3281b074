//! A front of this version, and a core that says more than it knows.

use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http::{StatusCode, header};
use serde_json::{Value, json};
use tokio::net::UnixListener;
use tokio::time::timeout;

use super::*;

const CLIENT: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn session(secret: &str, mechanism: &str) -> Value {
    json!({"session": secret, "mechanism": mechanism, "principal": "john", "newer": {"a": 1},
        "user": {"login": "john", "name": "", "email": "", "company": "", "groups": [],
            "admin": 9, "pronouns": "he"},
        "channel_bound": true, "expires_at": "2100-01-01T10:00:00Z", "home_server": "a",
        "redirect": null})
}

async fn resolve(Path(id): Path<String>) -> impl IntoResponse {
    let ended = json!({"error": "moved_away", "message": "Ask there.", "reference": "ABCDEFGH",
        "reason": "moved_away", "ended": {"why": "moved_away", "at": "2026-01-01T10:00:00Z"}});
    match id.as_bytes()[0] {
        b'k' => (StatusCode::OK, session(&id, "negotiate").to_string()),
        b'n' => (StatusCode::OK, session(&id, "token").to_string()),
        _ => (StatusCode::GONE, ended.to_string()),
    }
}

async fn events() -> impl IntoResponse {
    let id = secret('k').key();
    let events = [
        json!({"event": "hello", "version": 2}),
        json!({"event": "user_renamed", "user": "john"}),
        json!({"event": "session_ended", "id": id, "by": "mary"}),
    ];
    let text: String =
        events.iter().map(|event| format!("event: any\ndata: {event}\n\n")).collect();
    ([(header::CONTENT_TYPE, "text/event-stream")], text)
}

fn newer_core() -> Router {
    let whoami = json!({"peer": "token", "uid": 7, "key": null, "as": "FRONT", "since": 1});
    let opened = session(secret('p').as_str(), "basic");
    Router::new()
        .route("/v1/whoami", get(|| async move { whoami.to_string() }))
        .route("/v1/sessions/{id}", get(resolve))
        .route("/v1/sessions", post(|| async move { (StatusCode::CREATED, opened.to_string()) }))
        .route("/v1/events", get(events))
}

fn secret(letter: char) -> SessionSecret {
    SessionSecret::read(&letter.to_string().repeat(43)).unwrap()
}

#[tokio::test]
async fn a_newer_core_is_understood_as_far_as_this_front_goes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("core.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let serving = tokio::spawn(async move { axum::serve(listener, newer_core()).await });
    let stop = CancellationToken::new();
    let metrics = Arc::new(FrontMetrics::register(&crate::metrics::Metrics::default()).unwrap());
    let link = CoreLink::start(CoreAddress::Unix(path), metrics, stop.clone());

    link.ready().await.unwrap();
    let password = Password::default();
    let opened =
        link.sign_on_by_password("john".to_owned(), password, CLIENT, secret('p')).await.unwrap();
    assert_eq!(opened.session().user.login(), "john");
    let known = link.resolve(&secret('k'), CLIENT).await.unwrap();
    assert_eq!(known.session().user.admin, crate::wire::AdminLevel::None);

    let newer = link.resolve(&secret('n'), CLIENT).await.unwrap_err();
    assert_eq!(newer.reason, Reason::WrongMechanism);
    assert!(newer.detail.contains("\"token\""), "{}", newer.detail);
    let moved = link.resolve(&secret('m'), CLIENT).await.unwrap_err();
    assert_eq!((moved.reason, moved.ended), (Reason::NotPermitted, None));
    assert!(moved.detail.starts_with("Ask there."), "{}", moved.detail);

    // The end that follows an unknown event is heard: the grant is forgotten.
    let heard = async {
        while link.ends.load(Ordering::SeqCst) < 2 {
            clock::pause(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(5), heard).await.unwrap();
    stop.cancel();
    serving.abort();
}

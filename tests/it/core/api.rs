//! The core's socket: who the peer is decides what it may ask.

use serde_json::{Value, json};

use crate::gateway::{Gateway, Setup};
use crate::lab::http::Response;
use crate::lab::{curl, realm};

/// Asks the core as root, or as another user by way of setpriv.
fn ask(
    gateway: &Gateway,
    uid: Option<&str>,
    method: &str,
    path: &str,
    body: Option<Value>,
) -> Response {
    let socket = gateway.doorward.core_socket();
    let url = format!("http://core{path}");
    let body = body.map(|body| body.to_string());
    let mut args = vec!["--unix-socket", socket.to_str().unwrap(), "-X", method];
    if let Some(body) = &body {
        args.extend(["-H", "Content-Type: application/json", "--data", body]);
    }
    args.push(&url);
    match uid {
        None => curl(None, &args),
        Some(uid) => crate::lab::clients::curl_as(uid, &args),
    }
}

fn open(gateway: &Gateway, uid: Option<&str>, body: Value) -> Response {
    ask(gateway, uid, "POST", "/v1/sessions", Some(body))
}

#[test]
fn a_trusted_peer_opens_resolves_and_ends_a_session_for_anybody() {
    let gateway = Gateway::start();
    let opened = open(&gateway, None, json!({"user": "john@LAB.EXAMPLE", "trusted": true}));
    assert_eq!(opened.status, 201, "{opened:?}");
    let session = opened.json();
    assert_eq!(session["user"]["login"], "john");
    assert_eq!(session["mechanism"], "trusted");
    assert_eq!(session["redirect"], Value::Null);
    for field in ["expires_at", "home_server", "session"] {
        assert!(session[field].is_string(), "{field}: {session}");
    }
    let path = format!("/v1/sessions/{}", session["session"].as_str().unwrap());
    assert_eq!(ask(&gateway, None, "GET", &path, None).json()["user"]["login"], "john");
    assert_eq!(ask(&gateway, None, "DELETE", &path, None).status, 204);
    let ended = ask(&gateway, None, "GET", &path, None);
    assert_eq!((ended.status, ended.json()["error"].as_str().unwrap()), (404, "end_of_session"));
}

#[test]
fn a_realm_that_is_not_allowed_is_refused_in_the_same_words_as_everything() {
    let gateway = Gateway::start();
    let mut answers = Vec::new();
    for user in ["john@OTHER.EXAMPLE", "john/admin@LAB.EXAMPLE", "sys\u{7}tem", "", "SYSTEM"] {
        let mut refused = open(&gateway, None, json!({"user": user, "trusted": true}));
        assert_eq!(refused.status, 401, "{user:?}: {refused:?}");
        let mut said = refused.json();
        said.as_object_mut().unwrap().remove("reference").unwrap();
        refused.body.clear();
        answers.push(said);
    }
    assert!(answers.iter().all(|said| *said == answers[0]), "{answers:?}");
    assert_eq!(answers[0]["error"], "logon_failed");
    gateway.doorward.wait_audit("why", |line| line["reason"] == "realm_not_allowed");
}

#[test]
fn whoami_says_what_the_transport_says() {
    let gateway = Gateway::start();
    let root = ask(&gateway, None, "GET", "/v1/whoami", None).json();
    assert_eq!(root, json!({"peer": "unix", "uid": 0, "key": null, "as": "SYSTEM"}));
    let nobody = ask(&gateway, Some("nobody"), "GET", "/v1/whoami", None).json();
    assert_eq!(nobody["peer"], "unix");
    assert_eq!(nobody["uid"], 65534);
    assert_eq!(nobody["as"], "nobody");
}

#[test]
fn a_local_account_opens_a_session_for_itself_and_for_nobody_else() {
    let gateway = Gateway::start();
    let own = open(&gateway, Some("nobody"), json!({"user": "nobody"}));
    assert_eq!(own.status, 201, "{own:?}");
    assert_eq!(own.json()["mechanism"], "unix");
    for body in [
        json!({"user": "root"}),
        json!({"user": "nobody", "trusted": true}),
        json!({"proof": {"mechanism": "negotiate", "principal": "alice@LAB.EXAMPLE",
               "acceptor_realm": "LAB.EXAMPLE", "channel_bound": false, "ends_at": null}}),
    ] {
        let refused = open(&gateway, Some("nobody"), body.clone());
        assert!([401, 403].contains(&refused.status), "{body}: {refused:?}");
    }
    assert_eq!(ask(&gateway, Some("nobody"), "GET", "/v1/events", None).status, 403);
    let closed = Setup { core: "allow_local_users = false", ..Setup::default() }.start();
    let refused = open(&closed, Some("nobody"), json!({"user": "nobody"}));
    assert!([401, 403].contains(&refused.status), "{refused:?}");
}

#[test]
fn local_admin_users_are_system_by_name_and_by_number() {
    for list in [
        "local_admin_users = [\"daemon\"]",
        "local_admin_users = [\"1\"]",
        "local_admin_users = [1]",
    ] {
        let gateway = Setup { core: list, ..Setup::default() }.start();
        let whoami = ask(&gateway, Some("daemon"), "GET", "/v1/whoami", None).json();
        assert_eq!(whoami["as"], "SYSTEM", "{list}");
        let opened = open(&gateway, Some("daemon"), json!({"user": "john", "trusted": true}));
        assert_eq!(opened.status, 201, "{list}");
    }
}

#[test]
fn a_front_submits_proofs_and_hears_what_ends_but_vouches_for_nobody() {
    let gateway = Setup { core: "front_users = [\"daemon\"]", ..Setup::default() }.start();
    let proof = json!({"proof": {"mechanism": "negotiate", "principal": "alice@LAB.EXAMPLE",
        "acceptor_realm": realm().name, "channel_bound": false, "ends_at": null}});
    let opened = open(&gateway, Some("daemon"), proof);
    assert_eq!(opened.status, 201, "{opened:?}");
    let refused = open(&gateway, Some("daemon"), json!({"user": "john", "trusted": true}));
    assert_eq!(refused.status, 403, "{refused:?}");
}

#[test]
fn odd_questions_are_answered_with_what_is_wrong_with_them() {
    let gateway = Gateway::start();
    for body in [json!({}), json!({"usr": "john"}), json!({"password": "x"}), json!([])] {
        let refused = open(&gateway, None, body.clone());
        assert!([400, 422].contains(&refused.status), "{body}: {refused:?}");
        assert_eq!(refused.json()["error"], "bad_request", "{body}");
    }
    assert_eq!(ask(&gateway, None, "GET", "/v1/nothing", None).status, 404);
    assert_eq!(ask(&gateway, None, "PUT", "/v1/whoami", None).status, 405);
}

#[test]
fn what_a_newer_peer_asks_is_understood_or_refused_and_never_answered_as_something_weaker() {
    let gateway = Gateway::start();
    let status = |uid, body: Value| {
        let answer = open(&gateway, uid, body);
        (answer.status, answer.json()["error"].as_str().unwrap_or_default().to_owned())
    };
    let (granted, refused) = ((201, String::new()), (400, "bad_request".to_owned()));
    let trusted = json!({"user": "john@LAB.EXAMPLE", "trusted": true, "device": {"name": "a"}});
    assert_eq!(status(None, trusted.clone()), granted);
    let mut needed = trusted;
    needed["crit"] = json!(["device"]);
    assert_eq!(status(None, needed.clone()), refused);
    // Without the word that it is trusted, it would be for the caller's own account.
    assert_eq!(status(Some("nobody"), json!({"user": "nobody"})), granted);
    assert_eq!(status(Some("nobody"), json!({"user": "nobody", "otp": "123456"})), refused);
    let proof = |mechanism: &str| {
        json!({"proof": {"mechanism": mechanism, "principal": "john@LAB.EXAMPLE", "strength": 2,
            "acceptor_realm": "LAB.EXAMPLE", "channel_bound": false, "ends_at": null}})
    };
    assert_eq!(status(None, proof("negotiate")), granted);
    assert_eq!(status(None, proof("token")), refused);
    // In a batch, one that is refused is refused alone.
    let batch = json!({"proofs": [proof("negotiate"), needed], "newer": true});
    let answers = ask(&gateway, None, "POST", "/v1/sign-ons", Some(batch)).json();
    assert_eq!(answers["answers"][0]["granted"]["user"]["login"], "john");
    assert_eq!(answers["answers"][1]["refused"]["error"], "bad_request");
    let attempts = json!({"begin": [{"user": "john", "device": "a"}], "newer": 1});
    let answers = ask(&gateway, None, "POST", "/v1/attempts", Some(attempts)).json();
    assert!(answers["answers"][0]["begun"].is_number(), "{answers}");
}

//! The API over a real unix socket, and as other peers see it.

use std::time::Duration;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::peer::Peer;
use super::testing::*;
use super::*;
use crate::config::section::CoreAddress;
use crate::core_client::{Client, ClientError};
use crate::wire::open::Claim;
use crate::wire::{
    ActingAs, ErrorBody, ErrorWord, Event, Mechanism, OpenSession, PeerCredential, Reason, Session,
    SessionSecret,
};

#[tokio::test]
async fn a_session_is_opened_resolved_and_ended() {
    let lab = Lab::start(REALM);
    let client = lab.client();
    let mut events = client.events().await.unwrap();
    assert_eq!(events.next().await.unwrap(), Event::Hello);

    let opened = client.open(&proof("John@EXAMPLE.TEST")).await.unwrap();
    assert_eq!(opened.user.login(), "john");
    assert_eq!(opened.user.groups, ["S-1-5-21-1-2-3-513"]);
    assert_eq!(opened.mechanism, Mechanism::Negotiate);
    assert!(opened.channel_bound);
    assert!(clock::now().until(opened.expires_at) <= Duration::from_secs(600));
    assert_eq!(lab.core.live_sessions(), 1);

    let resolved = client.resolve(&opened.session, None).await.unwrap();
    assert_eq!(resolved.user, opened.user);
    assert_eq!(resolved.principal, "John@EXAMPLE.TEST");

    client.end(&opened.session).await.unwrap();
    let id = opened.session.key();
    assert_eq!(events.next().await.unwrap(), Event::SessionEnded { id });
    assert_eq!(refused(client.resolve(&opened.session, None).await).error, ErrorWord::EndOfSession);
    assert_eq!(refused(client.end(&opened.session).await).error, ErrorWord::EndOfSession);
    assert_eq!(lab.core.live_sessions(), 0);
}

#[tokio::test]
async fn this_process_is_system() {
    let lab = Lab::start("");
    let whoami = lab.client().whoami().await.unwrap();
    assert_eq!(whoami.peer, PeerCredential::Unix);
    assert_eq!(whoami.uid, Some(nix::unistd::geteuid().as_raw()));
    assert_eq!(whoami.acting_as, Some(ActingAs::System));
}

#[tokio::test]
async fn sign_ons_that_travel_together_are_answered_in_order() {
    let lab = Lab::start(REALM);
    let logins = ["a@EXAMPLE.TEST", "b@OTHER.TEST", "c@EXAMPLE.TEST"];
    let answers = lab.client().open_many(logins.map(proof).to_vec()).await.unwrap();
    let outcome = |answer: &Result<Session, ErrorBody>| match answer {
        Ok(session) => session.user.login().to_owned(),
        Err(error) => format!("{} {:?}", error.error, error.reason),
    };
    assert_eq!(
        answers.iter().map(outcome).collect::<Vec<_>>(),
        ["a", "logon_failed Some(RealmNotAllowed)", "c"]
    );
    assert_eq!(lab.core.live_sessions(), 2);
    assert!(lab.client().open_many(Vec::new()).await.unwrap().is_empty());
}

#[tokio::test]
async fn whom_system_names_it_vouches_for() {
    let lab = Lab::start(REALM);
    for request in [trusted("John@EXAMPLE.TEST"), own("John@EXAMPLE.TEST")] {
        let session = lab.client().open(&request).await.unwrap();
        assert_eq!((session.user.login(), session.mechanism), ("john", Mechanism::Trusted));
    }
}

#[tokio::test]
async fn without_realms_a_trusted_name_may_have_no_realm() {
    let lab = Lab::start("[sso.kerberos]\nkeytab = '/nonexistent'\n");
    let error = refused(lab.client().open(&trusted("john@EXAMPLE.TEST")).await);
    assert_eq!(error.error, ErrorWord::LogonFailed);
    assert_eq!(lab.client().open(&trusted("john")).await.unwrap().user.login(), "john");
}

#[tokio::test]
async fn all_refused_sign_ons_look_the_same() {
    let lab = Lab::start(REALM);
    let mut bodies = Vec::new();
    for name in ["john@OTHER.TEST", "a/b@EXAMPLE.TEST", "SYSTEM", ""] {
        let error = refused(lab.client().open(&trusted(name)).await);
        bodies.push(ErrorBody { reference: String::new(), ..error });
    }
    let request = json!({"user": "mary"});
    let (status, body) = lab.ask(john(), Method::POST, "/v1/sessions", request).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let error: ErrorBody = serde_json::from_value(body).unwrap();
    bodies.push(ErrorBody { reference: String::new(), ..error });
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:#?}");
    assert_eq!(bodies[0].error, ErrorWord::LogonFailed);
    assert_eq!(bodies[0].reason, None);
}

#[tokio::test]
async fn a_front_is_told_why_its_proof_is_refused() {
    let lab = Lab::start(REALM);
    let mut expired = proof("john@EXAMPLE.TEST");
    if let Claim::Proof(claim) = &mut expired.claim {
        claim.proof.ends_at = Some(clock::now());
    }
    for (request, reason) in [
        (proof("john@OTHER.TEST"), "realm_not_allowed"),
        (proof("system@EXAMPLE.TEST"), "reserved_name"),
        (expired, "ticket_expired"),
    ] {
        let request = serde_json::to_value(request).unwrap();
        let (status, body) = lab.ask(FRONT, Method::POST, "/v1/sessions", request).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED);
        assert_eq!(body["reason"], reason);
    }
}

#[tokio::test]
async fn peers_open_what_they_may_and_nothing_else() {
    let lab = Lab::start(REALM);
    let own = json!({"user": "john"});
    let vouched = json!({"user": "john", "trusted": true});
    let proven = serde_json::to_value(proof("john@EXAMPLE.TEST")).unwrap();
    for (peer, request, status) in [
        (john(), &own, StatusCode::CREATED),
        (john(), &vouched, StatusCode::FORBIDDEN),
        (john(), &proven, StatusCode::FORBIDDEN),
        (local(None), &own, StatusCode::FORBIDDEN),
        (FRONT, &own, StatusCode::FORBIDDEN),
        (FRONT, &vouched, StatusCode::FORBIDDEN),
        (FRONT, &proven, StatusCode::CREATED),
    ] {
        let answer = lab.ask(peer.clone(), Method::POST, "/v1/sessions", request.clone()).await;
        assert_eq!(answer.0, status, "{peer:?} {request}");
        if status == StatusCode::CREATED && matches!(peer, Peer::Local { .. }) {
            assert_eq!(answer.1["mechanism"], "unix");
        }
    }
    let proofs = json!({"proofs": [proven]});
    let (status, _) = lab.ask(john(), Method::POST, "/v1/sign-ons", proofs).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    let (status, body) = lab.ask(john(), Method::GET, "/v1/events", Value::Null).await;
    assert_eq!((status, &body["error"]), (StatusCode::FORBIDDEN, &json!("no_access")));
}

#[tokio::test]
async fn who_presents_a_sessions_id_may_resolve_and_end_it() {
    let lab = Lab::start(REALM);
    let session = lab.client().open(&trusted("mary")).await.unwrap().session;
    let path = format!("/v1/sessions/{}", session.as_str());
    let (status, body) = lab.ask(john(), Method::GET, &path, Value::Null).await;
    assert_eq!((status, &body["user"]["login"]), (StatusCode::OK, &json!("mary")));
    let (status, _) = lab.ask(john(), Method::DELETE, &path, Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, body) = lab.ask(john(), Method::GET, &path, Value::Null).await;
    assert_eq!((status, &body["error"]), (StatusCode::NOT_FOUND, &json!("end_of_session")));
}

#[tokio::test]
async fn what_is_no_request_is_said_to_be_none() {
    let lab = Lab::start(REALM);
    let system = Peer::System { uid: 0 };
    let negotiated = serde_json::to_value(proof("john@EXAMPLE.TEST")).unwrap()["proof"].clone();
    let mut by_uid = negotiated.clone();
    by_uid["mechanism"] = json!("unix");
    for request in [
        json!({"password": "secret"}),
        json!({"user": "john", "password": "secret", "trusted": true}),
        json!({"user": "john", "password": "secret", "proof": negotiated}),
        json!({}),
        json!({"trusted": true}),
        json!({"user": "john", "proof": negotiated}),
        json!({"trusted": true, "proof": negotiated}),
        json!({"proof": by_uid}),
        json!({"user": "john", "admin": 2}),
        json!("john"),
    ] {
        let asked = lab.ask(system.clone(), Method::POST, "/v1/sessions", request.clone()).await;
        let (status, body) = asked;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{request}");
        assert_eq!(body["error"], "bad_request", "{request}");
    }
    let large = json!({"user": "x".repeat(1 << 20)});
    let (status, _) = lab.ask(system.clone(), Method::POST, "/v1/sessions", large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    for (method, path, status, word) in [
        (Method::GET, "/", StatusCode::NOT_FOUND, "not_found"),
        (Method::PUT, "/v1/sessions", StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
        (Method::PUT, "/v1/whoami", StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
    ] {
        let answer = lab.ask(system.clone(), method, path, Value::Null).await;
        assert_eq!((answer.0, &answer.1["error"]), (status, &json!(word)), "{path}");
    }
    let path = format!("/v1/sessions/{}?client=somewhere", "x".repeat(43));
    let (status, _) = lab.ask(system, Method::GET, &path, Value::Null).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert_eq!(lab.core.live_sessions(), 0);
}

#[tokio::test]
async fn a_restart_keeps_sessions_and_clients() {
    let lab = Lab::start(REALM);
    let client = lab.client();
    let kept = client.open(&trusted("john")).await.unwrap().session;
    let ended = client.open(&trusted("john")).await.unwrap().session;
    client.end(&ended).await.unwrap();
    let directory = lab.stop().await;

    assert!(matches!(client.whoami().await, Err(ClientError::Unreachable { .. })));

    let _again = Lab::start_in(directory, REALM);
    assert_eq!(client.resolve(&kept, None).await.unwrap().user.login(), "john");
    assert_eq!(refused(client.resolve(&ended, None).await).error, ErrorWord::EndOfSession);
}

#[tokio::test]
async fn on_a_full_disk_new_sessions_are_refused_and_old_ones_served() {
    let directory = tempfile::tempdir().unwrap();
    let settings = settings(directory.path(), REALM);
    let database = Database::open(&settings.state_path).unwrap();
    database.limit_pages(16);
    let lab = Lab::start_with(database, directory, &settings);
    let client = lab.client();
    let old = client.open(&proof("john@EXAMPLE.TEST")).await.unwrap().session;
    let mut opened = Vec::new();
    let refusal = loop {
        let request = proof(&format!("user{}@EXAMPLE.TEST", opened.len()));
        match client.open(&request).await {
            Ok(session) => opened.push(session.session),
            error => break refused(error),
        }
    };
    assert_eq!(refusal.error, ErrorWord::StoreFull);
    let request = serde_json::to_value(proof("mary@EXAMPLE.TEST")).unwrap();
    let (status, _) = lab.ask(FRONT, Method::POST, "/v1/sessions", request).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    client.resolve(&old, None).await.unwrap();
    let lines = lab.audit(opened.len() + 3).await;
    let line = lines.into_iter().find(|line| line["reference"] == refusal.reference);
    assert_eq!(line.unwrap()["reason"], "store_full");
    for session in &opened {
        client.end(session).await.unwrap();
    }
    client.open(&proof("mary@EXAMPLE.TEST")).await.unwrap();
}

#[tokio::test]
async fn a_core_that_stops_ends_its_event_streams() {
    let lab = Lab::start(REALM);
    let mut events = lab.client().events().await.unwrap();
    assert_eq!(events.next().await.unwrap(), Event::Hello);
    lab.stop().await;
    assert!(matches!(events.next().await, Err(ClientError::Unreachable { .. })));
}

#[tokio::test]
async fn under_session_ip_check_a_session_stays_where_it_was_opened() {
    let lab = Lab::start(&format!("[core]\nsession_ip_check = true\n{REALM}"));
    let client = lab.client();
    let home = Some("192.0.2.1".parse().unwrap());
    let request = OpenSession { client: home, ..proof("john@EXAMPLE.TEST") };
    let opened = client.open(&request).await.unwrap();
    assert_eq!(opened.only_from, home);
    let mapped = Some("::ffff:192.0.2.1".parse().unwrap());
    client.resolve(&opened.session, mapped).await.unwrap();
    for elsewhere in [None, Some("192.0.2.2".parse().unwrap())] {
        let error = refused(client.resolve(&opened.session, elsewhere).await);
        assert_eq!(error.error, ErrorWord::EndOfSession);
        assert_eq!(error.reason, Some(Reason::AddressChanged));
    }
    let path = format!("/v1/sessions/{}?client=192.0.2.1", opened.session.as_str());
    let (status, _) = lab.ask(john(), Method::GET, &path, Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "a local program's word on addresses is nobody's");
}

#[tokio::test]
async fn a_reload_changes_who_may_come_in() {
    let lab = Lab::start(REALM);
    lab.client().open(&proof("john@EXAMPLE.TEST")).await.unwrap();
    let other = settings(lab.directory.path(), &REALM.replace("EXAMPLE", "OTHER"));
    lab.core.reload(Core::prepare(&other).unwrap());
    let error = refused(lab.client().open(&proof("john@EXAMPLE.TEST")).await);
    assert_eq!(error.reason, Some(Reason::RealmNotAllowed));
    assert_eq!(lab.core.live_sessions(), 1);
}

#[tokio::test]
async fn what_cannot_be_an_id_is_never_sent() {
    let client = Client::new(CoreAddress::Unix("/nonexistent/core.sock".into()));
    for text in ["", "short", "../../v1/whoami", &"/".repeat(43)] {
        assert_eq!(SessionSecret::read(text), None, "{text}");
    }
    let secret = SessionSecret::read(&"x".repeat(43)).unwrap();
    let error = client.resolve(&secret, None).await.unwrap_err();
    assert!(error.to_string().contains("/nonexistent/core.sock"), "{error}");
}

#[tokio::test]
async fn the_audit_log_tells_who_came_in_who_did_not_and_who_left() {
    let lab = Lab::start(REALM);
    let client = lab.client();
    let request = OpenSession { client: "192.0.2.1".parse().ok(), ..proof("John@EXAMPLE.TEST") };
    let session = client.open(&request).await.unwrap().session;
    let refusal = refused(client.open(&proof("mary@OTHER.TEST")).await);
    lab.ask(john(), Method::POST, "/v1/sessions", json!({"user": "x", "trusted": true})).await;
    lab.ask(john(), Method::GET, "/v1/events", Value::Null).await;
    client.end(&session).await.unwrap();

    let own = format!("uid {}", nix::unistd::geteuid());
    let key = session.key().short();
    let lines = lab.audit(5).await;
    let line = |number: usize, words: &[&str]| {
        let line: &Value = &lines[number];
        words.iter().map(|&word| line[word].clone()).collect::<Value>()
    };
    let outcome = ["event", "outcome", "reason", "peer"];
    assert_eq!(line(0, &outcome), json!(["sign_on", "granted", null, own]));
    assert_eq!(
        line(0, &["principal", "login", "client", "session", "mechanism", "channel_bound"]),
        json!(["John@EXAMPLE.TEST", "john", "192.0.2.1", key, "negotiate", true])
    );
    assert_eq!(line(1, &outcome), json!(["sign_on", "refused", "realm_not_allowed", own]));
    assert_eq!(line(1, &["principal", "reference"]), json!(["mary@OTHER.TEST", refusal.reference]));
    let detail = lines[1]["detail"].as_str().unwrap();
    assert!(detail.contains("[[core.realm]] lists EXAMPLE.TEST"), "{detail}");
    assert_eq!(line(2, &outcome), json!(["sign_on", "refused", "not_permitted", "uid 1000"]));
    assert_eq!(line(3, &outcome), json!(["peer", "refused", "not_permitted", "uid 1000"]));
    assert_eq!(line(4, &outcome), json!(["session_end", "granted", "logout", own]));
    assert_eq!(line(4, &["login", "session", "detail"]), json!(["john", key, "logout"]));
    assert_eq!(lines.len(), 5);
    let text = std::fs::read_to_string(lab.directory.path().join("audit")).unwrap();
    assert!(!text.contains(session.as_str()), "the secret stands nowhere");
}

#[tokio::test]
async fn who_may_not_ask_is_told_so_whatever_the_request_looks_like() {
    let lab = Lab::start(REALM);
    for (method, path, body) in [
        (Method::GET, "/v1/sessions?limit=0", Value::Null),
        (Method::GET, "/v1/keys?after", Value::Null),
        (Method::POST, "/v1/sign-ons", json!("no list")),
        (Method::POST, "/v1/attempts", json!("no attempts")),
    ] {
        let (status, body) = lab.ask(john(), method, path, body).await;
        assert_eq!(
            (status, &body["error"]),
            (StatusCode::FORBIDDEN, &json!("no_access")),
            "{path}"
        );
    }
    let path = format!("/v1/sessions/{}?client=somewhere", "x".repeat(43));
    let nobody = Peer::Anonymous { address: "192.0.2.1".parse().unwrap() };
    assert_eq!(lab.ask(nobody, Method::GET, &path, Value::Null).await.0, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn only_who_may_hand_in_proofs_chooses_secrets_and_tells_addresses() {
    let lab = Lab::start(REALM);
    let secret = "s".repeat(43);
    let basic = json!({"user": "john", "password": "x", "basic": true, "secret": secret});
    let (status, body) = lab.ask(john(), Method::POST, "/v1/sessions", basic).await;
    assert_eq!(status, StatusCode::FORBIDDEN, "{body}");
    assert!(body["message"].as_str().unwrap().contains("propose the secret"), "{body}");
    let own = json!({"user": "john", "client": "192.0.2.1"});
    lab.ask(john(), Method::POST, "/v1/sessions", own).await;
    let lines = lab.audit(2).await;
    assert_eq!((&lines[0]["event"], &lines[0]["mechanism"]), (&json!("sign_on"), &json!("basic")));
    assert_eq!((&lines[1]["outcome"], &lines[1]["client"]), (&json!("granted"), &Value::Null));
}

#[tokio::test]
async fn a_denial_is_one_line_in_the_audit_log_whichever_way_it_was_asked() {
    let lab = Lab::start(REALM);
    let proven = serde_json::to_value(proof("john@EXAMPLE.TEST")).unwrap();
    let proofs = json!({"proofs": [proven]});
    lab.ask(john(), Method::POST, "/v1/sessions", proven).await;
    lab.ask(john(), Method::POST, "/v1/sign-ons", proofs).await;
    let lines = lab.audit(2).await;
    for line in &lines {
        let words = ["event", "outcome", "reason", "detail", "peer"].map(|word| line[word].clone());
        let expected =
            ["sign_on", "refused", "not_permitted", "open a session by proof", "uid 1000"];
        assert_eq!(words, expected.map(|word| json!(word)));
    }
    assert_eq!(lines[0]["principal"], "john@EXAMPLE.TEST", "of a batch nobody is read");
}

#[tokio::test]
async fn what_is_not_understood_of_a_batch_is_answered_by_itself() {
    let lab = Lab::start(REALM);
    let proven = serde_json::to_value(proof("john@EXAMPLE.TEST")).unwrap();
    let password = json!({"user": "john", "password": "x"});
    let proofs = json!({"proofs": [{"trusted": true}, proven, password, {"user": "mary"}]});
    let (status, body) =
        lab.ask(Peer::System { uid: 0 }, Method::POST, "/v1/sign-ons", proofs).await;
    assert_eq!(status, StatusCode::OK);
    let answers = &body["answers"];
    assert_eq!(answers[0]["refused"]["error"], "bad_request");
    assert_eq!(answers[1]["granted"]["user"]["login"], "john");
    assert_eq!(answers[2]["refused"]["message"], "Send a password alone, to POST /v1/sessions.");
    assert_eq!(answers[3]["granted"]["user"]["login"], "mary");
}

//! A key, the session it opened, and what happens to the session without the key.

use std::fs;
use std::future::poll_fn;
use std::path::Path;
use std::task::Poll;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::yield_now;

use super::*;
use crate::core_server::testing::{FRONT, Lab, refused};
use crate::pki::file::openssl::{Key, public_key};
use crate::wire::open::{ByCertificate, Claim};
use crate::wire::{ErrorBody, ErrorWord, Fingerprint, Mechanism, OpenSession, Proof};

/// A core whose one listed key signs john on; and the key's fingerprint.
fn lab(more: &str) -> (Lab, Fingerprint) {
    let directory = tempfile::tempdir().unwrap();
    let keys = directory.path().join("sslkeys");
    fs::create_dir(&keys).unwrap();
    let key = Fingerprint::of_spki(&public_key(&keys, Key::Ec("P-256")));
    (Lab::start_in(directory, &text(&keys, more)), key)
}

fn text(keys: &Path, more: &str) -> String {
    format!(
        "[core]\nsslkeys_path = '{}'\n[[core.key]]\nfile = 'one-public.pem'\nact_as = ['John']\n{more}\n",
        keys.display()
    )
}

fn proof(public_key: Fingerprint) -> OpenSession {
    let proof = Proof {
        mechanism: Mechanism::Certificate,
        principal: "CN=root".to_owned(),
        acceptor_realm: None,
        account: None,
        public_key: None,
        channel_bound: true,
        ends_at: Some(clock::now().plus(Duration::from_secs(600))),
        groups: vec!["admins".to_owned()],
    };
    let claim = Claim::Certificate(ByCertificate { proof, public_key, secret: None });
    OpenSession { client: Some("192.0.2.1".parse().unwrap()), claim }
}

fn ending(key: Fingerprint, ends_at: Timestamp) -> OpenSession {
    let mut request = proof(key);
    if let Claim::Certificate(claim) = &mut request.claim {
        claim.proof.ends_at = Some(ends_at);
    }
    request
}

async fn refuses(lab: &Lab, request: OpenSession) -> ErrorBody {
    refused(lab.client().open(&request).await)
}

#[tokio::test]
async fn the_user_is_the_one_of_the_entry_whatever_the_subject_says() {
    let (lab, key) = lab("not_after = 2099-01-01T00:00:00Z");
    let session = lab.client().open(&proof(key)).await.unwrap();
    assert_eq!((session.user.login(), session.principal.as_str()), ("john", "CN=root"));
    assert_eq!(session.user.groups, [] as [&str; 0]);
    assert_eq!(session.public_key, Some(key));
    assert!(session.expires_at <= clock::now().plus(Duration::from_secs(600)));
    let line = &lab.audit(1).await[0];
    assert_eq!((&line["key"], &line["principal"]), (&"one-public.pem".into(), &"CN=root".into()));
}

#[tokio::test]
async fn a_key_counts_where_it_is_listed_from_there_and_until_then() {
    for (more, unlisted, reason) in [
        ("", true, Reason::PublicKeyNotListed),
        ("from = ['10.0.0.0/8']", false, Reason::PublicKeyAddress),
        ("not_after = 2020-01-01T00:00:00Z", false, Reason::PublicKeyExpired),
    ] {
        let (lab, key) = lab(more);
        let key = if unlisted { Fingerprint::of_spki(b"another") } else { key };
        assert_eq!(refuses(&lab, proof(key)).await.reason, Some(reason));
    }
    // Nobody knows where it comes from.
    let (lab, key) = lab("from = ['192.0.2.0/24']");
    let nowhere = OpenSession { client: None, ..proof(key) };
    assert_eq!(refuses(&lab, nowhere).await.reason, Some(Reason::PublicKeyAddress));
    lab.client().open(&proof(key)).await.unwrap();
}

#[tokio::test]
async fn a_proof_by_certificate_names_its_key_and_nobody_else() {
    let (lab, key) = lab("");
    let written = serde_json::to_value(proof(key)).unwrap();
    let [mut keyless, mut odd, mut negotiated, mut other] = [(); 4].map(|()| written.clone());
    odd["proof"]["public_key"] = json!("AB:CD");
    keyless["proof"].as_object_mut().unwrap().remove("public_key");
    negotiated["proof"]["mechanism"] = json!("negotiate");
    other["act_as"] = json!("mary");
    for request in [keyless, odd, negotiated, other] {
        let (_, body) = lab.ask(FRONT, Method::POST, "/v1/sessions", request).await;
        assert_eq!(body["error"], "bad_request");
    }
    let over = ending(key, clock::now());
    assert_eq!(refuses(&lab, over).await.reason, Some(Reason::CertificateExpired));
}

#[tokio::test]
async fn a_session_is_dead_with_its_key_also_over_a_restart() {
    let (lab, key) = lab("");
    let [first, second] = [
        lab.client().open(&proof(key)).await.unwrap().session,
        lab.client().open(&proof(key)).await.unwrap().session,
    ];
    lab.client().resolve(&first, None).await.unwrap();
    lab.client().resolve(&second, None).await.unwrap();
    fs::remove_file(lab.directory.path().join("sslkeys/one-public.pem")).unwrap();
    // At once when it is asked for; the other by itself.
    assert_eq!(refused(lab.client().resolve(&first, None).await).error, ErrorWord::EndOfSession);
    let lines = lab.audit(4).await;
    for line in &lines[2..] {
        assert_eq!(line["reason"], "public_key_removed");
        assert_eq!((&line["event"], &line["login"]), (&"session_end".into(), &"john".into()));
    }
    assert_eq!(lab.core.live_sessions(), 0);
}

#[tokio::test]
async fn a_core_that_starts_again_knows_by_which_key_a_session_was_opened() {
    let (lab, key) = lab("");
    let session = lab.client().open(&proof(key)).await.unwrap().session;
    let directory: TempDir = lab.stop().await;
    let keys = directory.path().join("sslkeys");
    let again = Lab::start_in(directory, &text(&keys, ""));
    let resolved = again.client().resolve(&session, None).await.unwrap();
    assert_eq!(resolved.public_key, Some(key));
    let directory = again.stop().await;
    fs::remove_file(keys.join("one-public.pem")).unwrap();
    // An entry without its file would not start.
    let no_entries = format!("[core]\nsslkeys_path = '{}'\n", keys.display());
    let again = Lab::start_in(directory, &no_entries);
    assert_eq!(
        refused(again.client().resolve(&session, None).await).error,
        ErrorWord::EndOfSession
    );
}

/// The peer hangs up after the session has ended, and before that is on the disk.
#[tokio::test]
async fn an_end_that_is_found_while_the_peer_hangs_up_is_in_the_audit_log() {
    let (lab, key) = lab("");
    let session = lab.client().open(&proof(key)).await.unwrap().session;
    fs::remove_file(lab.directory.path().join("sslkeys/one-public.pem")).unwrap();
    let path = format!("/v1/sessions/{}", session.as_str());
    let mut resolving = Box::pin(lab.ask(FRONT, Method::GET, &path, Value::Null));
    while lab.core.live_sessions() > 0 {
        let polled = poll_fn(|context| Poll::Ready(resolving.as_mut().poll(context))).await;
        if lab.core.live_sessions() > 0 {
            assert!(polled.is_pending(), "the session is resolved, though its key is removed");
            yield_now().await;
        }
    }
    drop(resolving);
    let line = &lab.audit(2).await[1];
    assert_eq!((&line["event"], &line["login"]), (&"session_end".into(), &"john".into()));
    assert_eq!(line["reason"], "public_key_removed");
}

//! What a client claims about itself never reaches the application.

use crate::gateway::{Gateway, Setup, reached, web};
use crate::lab::http::{Raw, Response};
use crate::lab::{Doorward, realm, servers};

/// Every spelling that some application server folds into `Remote-User`, and its kin.
const FORGED: &[&str] = &[
    "Remote-User",
    "remote-user",
    "REMOTE-USER",
    "Remote_User",
    "remote_user",
    "Remote.User",
    "rEmOtE-uSeR",
    "Remote-Groups",
    "Remote_Groups",
    "Remote-Name",
    "Remote-Email",
    "Remote.Email",
    "Remote-Company",
    "Remote-Admin",
    "Remote_Admin",
    "Remote-Mechanism",
    "Doorward-Assertion",
    "Doorward_Assertion",
];

fn claims(seen: &Response) -> Vec<String> {
    let seen = seen.json();
    let pairs = seen["headers"].as_array().unwrap();
    let values = pairs.iter().map(|pair| pair[1].as_str().unwrap().to_owned());
    values.filter(|value| value.contains("forged")).collect()
}

#[test]
fn forged_identity_headers_are_removed_in_every_spelling() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    for name in FORGED {
        let headers = [("Cookie", cookie.as_str()), (name, "forged"), (name, "forged too")];
        let answer = gateway.connect().get(&web(), "/", &headers);
        assert_eq!(answer.status, 200, "{name}");
        assert_eq!(claims(&answer), [] as [&str; 0], "{name}");
        assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{name}");
    }
}

#[test]
fn forged_headers_do_not_return_as_trailers_or_by_connection() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let mut connection = gateway.connect();
    connection.send(format!(
        "POST / HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\nConnection: Remote-User, remote_user\r\n\
         Remote-User: forged\r\nTransfer-Encoding: chunked\r\nTrailer: Remote-User\r\n\r\n\
         3\r\nabc\r\n0\r\nRemote-User: forged\r\nRemote_User: forged\r\n\r\n",
        web()
    ));
    let answer = connection.response();
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(claims(&answer), [] as [&str; 0]);
    assert_eq!(reached(&answer, "Remote-User"), ["alice"]);
    assert_eq!(answer.json()["body_length"], 3);
}

#[test]
fn forged_headers_are_removed_from_http_2_as_well() {
    let gateway = Gateway::start();
    let cookie = format!("Cookie: {}", gateway.sign_on("alice"));
    for name in FORGED {
        let forged = format!("{name}: forged");
        let args = ["--http2-prior-knowledge", "-H", cookie.as_str(), "-H", forged.as_str()];
        let answer = gateway.get(None, "/", &args);
        assert_eq!(answer.status, 200, "{name}: {answer:?}");
        assert_eq!(claims(&answer), [] as [&str; 0], "{name}");
        assert_eq!(reached(&answer, "Remote-User"), ["alice"], "{name}");
    }
}

#[test]
fn a_line_that_is_folded_or_malformed_is_refused() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    for lines in
        ["X-Folded: a\r\n Remote-User: forged\r\n", "Remote-User : forged\r\n", "Remote-User\r\n"]
    {
        let mut connection = gateway.connect();
        connection
            .send(format!("GET / HTTP/1.1\r\nHost: {}\r\nCookie: {cookie}\r\n{lines}\r\n", web()));
        let answer = connection.response();
        assert_eq!(answer.status, 400, "{lines:?}: {answer:?}");
    }
}

#[test]
fn the_assertion_is_signed_with_a_published_key() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let answer = gateway.connect().get(&web(), "/", &[("Cookie", &cookie)]);
    let assertion = reached(&answer, "Doorward-Assertion").remove(0);
    let jwks = gateway.connect().get(&web(), "/.doorward/jwks.json", &[]).json();
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).unwrap();
    let header = jsonwebtoken::decode_header(&assertion).unwrap();
    let key = set.find(header.kid.as_deref().unwrap()).unwrap();
    let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
    let mut expected = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
    expected.set_audience(&[web()]);
    let decoded = jsonwebtoken::decode::<serde_json::Value>(&assertion, &key, &expected).unwrap();
    assert_eq!(decoded.claims["sub"], "alice");
    let (from, until) = (&decoded.claims["iat"], &decoded.claims["exp"]);
    assert!(until.as_u64().unwrap() - from.as_u64().unwrap() <= 300);
    let tampered = assertion.replacen('.', ".e", 1);
    assert!(jsonwebtoken::decode::<serde_json::Value>(&tampered, &key, &expected).is_err());
}

#[test]
fn only_trusted_proxies_say_where_a_client_comes_from() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let headers = [
        ("Cookie", cookie.as_str()),
        ("X-Forwarded-For", "203.0.113.9"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "for=203.0.113.9"),
    ];
    let answer = gateway.connect().get(&web(), "/", &headers);
    assert_eq!(reached(&answer, "X-Forwarded-For"), ["127.0.0.1"]);
    assert_eq!(reached(&answer, "X-Forwarded-Proto"), ["http"]);
    assert!(!reached(&answer, "X-Forwarded-Host").contains(&"evil.example".to_owned()));
    assert!(!reached(&answer, "Forwarded").iter().any(|value| value.contains("203.0.113.9")));
}

#[test]
fn the_host_of_the_request_is_what_the_application_sees() {
    let gateway = Gateway::start();
    let cookie = gateway.sign_on("alice");
    let mut connection: Raw = gateway.connect();
    let answer = connection.get("Web.Lab.Example:1234", "/", &[("Cookie", &cookie)]);
    assert_eq!(reached(&answer, "Host"), ["Web.Lab.Example:1234"]);
    let _ = realm();
}

#[test]
fn a_front_without_plain_http_tells_browsers_so() {
    let app = servers::app();
    let config = Setup::default().config(app.port);
    let only_tls = config.replacen("listen = [\"127.0.0.1:0\"]", "listen = []", 1);
    assert_ne!(config, only_tls);
    for (config, told) in [(config, None), (only_tls, Some("max-age=31536000"))] {
        let gateway = Gateway { doorward: Doorward::serve(&config), app: servers::app() };
        let answer = gateway.get_tls(None, "/", &[]);
        assert_eq!((answer.status, answer.header("strict-transport-security")), (401, told));
    }
}

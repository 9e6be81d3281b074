//! Applications that share a host by path do not share assertions.

use serde_json::Value;

use crate::gateway::{Setup, reached, web};
use crate::lab::servers;

#[test]
fn an_assertion_counts_at_one_application_of_a_host() {
    let admin = servers::app();
    let more = format!(
        "[[site]]\nhost = \"*\"\npath = \"/admin\"\nupstream = \"http://127.0.0.1:{}\"\n",
        admin.port
    );
    let front = "trusted_proxies = [\"127.0.0.0/8\"]";
    let gateway = Setup { more, front, ..Setup::default() }.start();
    let cookie = gateway.sign_on("alice");
    let jwks = gateway.connect().get(&web(), "/.doorward/jwks.json", &[]).json();
    let set: jsonwebtoken::jwk::JwkSet = serde_json::from_value(jwks).unwrap();
    let counts = |assertion: &str, audience: &str| {
        let header = jsonwebtoken::decode_header(assertion).unwrap();
        let key = set.find(header.kid.as_deref().unwrap()).unwrap();
        let key = jsonwebtoken::DecodingKey::from_jwk(key).unwrap();
        let mut expected = jsonwebtoken::Validation::new(jsonwebtoken::Algorithm::ES256);
        expected.set_audience(&[audience]);
        jsonwebtoken::decode::<Value>(assertion, &key, &expected).is_ok()
    };
    let sent = [("Cookie", cookie.as_str())];
    let (root, below) = (web(), format!("{}/admin", web()));
    for (path, own, other) in [("/p", &root, &below), ("/admin/x", &below, &root)] {
        let passed = gateway.connect().get(&web(), path, &sent);
        let passed = reached(&passed, "Doorward-Assertion").remove(0);
        let asked = [("Cookie", cookie.as_str()), ("X-Original-URI", path)];
        let asked = gateway.connect().get(&web(), "/.doorward/auth", &asked);
        for assertion in [passed.as_str(), asked.header("doorward-assertion").unwrap()] {
            assert!(counts(assertion, own), "{path} is for {own}");
            assert!(!counts(assertion, other), "{path} is not for {other}");
        }
    }
}

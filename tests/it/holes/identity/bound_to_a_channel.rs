//! A Kerberos token that is bound to a TLS channel was made for that channel:
//! over plain HTTP it opens nothing.

use crate::gateway::{Setup, web};
use crate::lab::TokenOptions;
use crate::lab::realm;

#[test]
fn over_plain_http_a_bound_token_is_refused_and_an_unbound_one_is_not() {
    let bound = || TokenOptions {
        binding: Some(b"tls-server-end-point:some certificate of somebody's".to_vec()),
        ..TokenOptions::default()
    };
    for (policy, options, expected) in [
        ("channel_binding = \"allow\"", bound(), Err("binding_mismatch")),
        ("channel_binding = \"allow\"", TokenOptions::default(), Ok(())),
        ("channel_binding = \"off\"", bound(), Ok(())),
    ] {
        let gateway = Setup { sso: policy, ..Setup::default() }.start();
        let token = realm().ticket("alice").tokens_with(&web(), 1, &options).remove(0);
        let answer = gateway.send_token(&token);
        match expected {
            Ok(()) => assert_eq!(answer.status, 200, "{policy}: {answer:?}"),
            Err(reason) => {
                assert_eq!(answer.status, 401, "{policy}: {answer:?}");
                assert_eq!(answer.json()["error"], reason, "{policy}");
            }
        }
    }
}

//! Channel bindings of NTLM: a response that was made for one TLS connection opens no
//! other.

use crate::gateway::{Setup, cookie_of};
use crate::lab::http::Response;
use crate::lab::ntlm::{Binding, Login, Wrap};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason};

/// What a client sends along.
#[derive(Clone, Copy, Debug)]
enum Sent {
    Right,
    Wrong,
    Zero,
    Nothing,
}

fn start(protocol: &str, policy: &str) -> Ntlm {
    let sso = match policy {
        "off" => "channel_binding = \"off\"",
        "allow" => "channel_binding = \"allow\"",
        _ => "channel_binding = \"require\"",
    };
    Ntlm::start_with(protocol, "", Setup { sso, ..Setup::default() })
}

fn wrong() -> Binding {
    Binding::To(b"tls-server-end-point:another certificate".to_vec())
}

fn attempt(gateway: &Ntlm, sent: Sent, wrap: Wrap) -> Response {
    let mut connection = gateway.connect_tls();
    let binding = match sent {
        Sent::Right => {
            Binding::To(crate::kerberos::bindings::end_point(gateway.doorward.https_port()))
        }
        Sent::Wrong => wrong(),
        Sent::Zero => Binding::Zero,
        Sent::Nothing => Binding::Absent,
    };
    let login = Login { binding, wrap, ..Login::of("alice") };
    login.get(&mut connection, "/.doorward/whoami", &[])
}

#[test]
fn each_policy_takes_and_refuses_what_it_says() {
    for protocol in PROTOCOLS {
        for policy in ["off", "allow", "require"] {
            let gateway = start(protocol, policy);
            for (sent, expected) in [
                (Sent::Right, ["false", "true", "true"]),
                (Sent::Wrong, ["false", "binding_mismatch", "binding_mismatch"]),
                // Zeros say that the program knows of no channel: on TLS that is wrong.
                (Sent::Zero, ["false", "binding_mismatch", "binding_mismatch"]),
                (Sent::Nothing, ["false", "false", "binding_missing"]),
            ] {
                let expected = match policy {
                    "off" => expected[0],
                    "allow" => expected[1],
                    _ => expected[2],
                };
                for wrap in [Wrap::Ntlm, Wrap::Spnego] {
                    let answer = attempt(&gateway, sent, wrap);
                    let said = answer.json();
                    let found = match answer.status {
                        200 => said["channel_bound"].to_string(),
                        _ => reason(&answer),
                    };
                    assert_eq!(found, expected, "{protocol} {policy} {sent:?} {wrap:?}: {said}");
                }
            }
        }
    }
}

#[test]
fn a_response_made_for_tls_does_not_sign_on_over_plain_http() {
    for protocol in PROTOCOLS {
        let gateway = start(protocol, "allow");
        let bound = Login { binding: wrong(), ..Login::of("alice") };
        let answer = gateway.log_in(&bound);
        assert_eq!((answer.status, reason(&answer).as_str()), (401, "binding_mismatch"));
        // Windows writes zeros where there is no channel to bind to.
        let unbound = Login { binding: Binding::Zero, ..Login::of("alice") };
        assert_is(&gateway.log_in(&unbound), "alice");
    }
}

#[test]
fn where_bindings_are_required_plain_http_signs_nobody_on() {
    for protocol in PROTOCOLS {
        let gateway = start(protocol, "require");
        for binding in [Binding::Absent, Binding::Zero, wrong()] {
            let answer = gateway.log_in(&Login { binding, ..Login::of("alice") });
            assert_eq!((answer.status, reason(&answer).as_str()), (401, "binding_missing"));
            assert_eq!(answer.statuses(), [401], "no challenge is given");
        }
    }
}

/// The attacker passes the messages of a client that speaks with another host's
/// certificate to a gateway, and the gateway's back.
#[test]
fn a_relayed_exchange_fails_when_it_is_bound_and_always_where_bindings_are_required() {
    for protocol in PROTOCOLS {
        // The host that the victim believes it speaks to has another certificate.
        let evil = start(protocol, "allow");
        let meant_for =
            Binding::To(crate::kerberos::bindings::end_point(evil.doorward.https_port()));
        for (policy, binding, expected) in [
            ("allow", meant_for.clone(), "binding_mismatch"),
            ("require", meant_for, "binding_mismatch"),
            ("require", Binding::Absent, "binding_missing"),
        ] {
            let gateway = start(protocol, policy);
            let victim = Login { binding, ..Login::of("alice") };
            let answer = victim.get(&mut gateway.connect_tls(), "/", &[]);
            assert_eq!((answer.status, reason(&answer).as_str()), (401, expected), "{policy}");
        }
    }
}

#[test]
fn a_session_without_binding_does_not_open_a_site_that_requires_one() {
    let more = "[[site]]\nhost = \"*\"\npath = \"/vault\"\nupstream = \"http://127.0.0.1:1\"\n\
                channel_binding = \"require\"\n"
        .to_owned();
    let gateway = Ntlm::start_with(PROTOCOLS[0], "", Setup { more, ..Setup::default() });
    let mut connection = gateway.connect_tls();
    let unbound = Login::of("alice").get(&mut connection, "/.doorward/whoami", &[]);
    let cookie = cookie_of(&unbound);
    let answer = connection.get(&crate::gateway::web(), "/vault", &[("Cookie", &cookie)]);
    assert_eq!((answer.status, reason(&answer).as_str()), (401, "binding_missing"));
}

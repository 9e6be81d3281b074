//! Whose name counts: what winbind proved, never what a message claims.

use crate::gateway::{Setup, reached};
use crate::lab::ntlm::Login;
use crate::lab::realm;
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason};

fn realm_with(lines: &str) -> Setup {
    let more = format!("[[core.realm]]\nrealm = \"{}\"\n{lines}\n", realm().name);
    Setup { more, ..Setup::default() }
}

#[test]
fn every_way_of_writing_a_name_is_the_same_user() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let written =
            [r"LAB\alice", r"lab.example\alice", "alice@lab.example", "alice", r"lab\ALICE"];
        for user in written {
            let answer = gateway.log_in(&Login::with(user, realm().password("alice")));
            assert_eq!(answer.status, 200, "{protocol} {user}: {}", answer.text());
            assert_is(&answer, "alice");
        }
    }
}

#[test]
fn spaces_that_the_domain_passes_over_make_no_second_name() {
    let password = realm().add_user("jo smith");
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        let typed = [r"LAB\jo  smith", "jo  smith", r"LAB\ jo smith", r"LAB\jo smith "];
        for user in typed {
            let answer = gateway.log_in(&Login::with(user, &password));
            match protocol {
                "ntlm-server-1" => assert_eq!(reason(&answer), "ntlm_unnamed", "{user:?}"),
                _ => assert_is(&answer, "jo smith"),
            }
        }
        assert_is(&gateway.log_in(&Login::with(r"LAB\jo smith", &password)), "jo smith");
    }
}

#[test]
fn a_domain_that_is_not_the_user_s_is_refused() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for user in [r"OTHER\alice", r"DC1\alice", "alice@other.example", r"MIT.EXAMPLE\alice"] {
            let answer = gateway.log_in(&Login::with(user, realm().password("alice")));
            assert_eq!((answer.status, reason(&answer).as_str()), (401, "logon_failed"), "{user}");
        }
    }
}

#[test]
fn only_domains_of_listed_realms_sign_on() {
    for protocol in PROTOCOLS {
        let listed = format!("domain = \"{}\"", realm().domain);
        let gateway = Ntlm::start_with(protocol, "", realm_with(&listed));
        assert_is(&gateway.log_in(&Login::of("alice")), "alice");
        for lines in ["", "domain = \"OTHER\""] {
            let gateway = Ntlm::start_with(protocol, "", realm_with(lines));
            for user in [r"LAB\alice", "alice", r"OTHER\alice"] {
                let answer = gateway.log_in(&Login::with(user, realm().password("alice")));
                assert_eq!(answer.status, 401, "{protocol} {lines:?} {user}");
                let expected =
                    if user.starts_with("OTHER") { "logon_failed" } else { "realm_not_allowed" };
                assert_eq!(reason(&answer), expected, "{protocol} {lines:?} {user}");
            }
        }
    }
}

#[test]
fn a_name_that_is_not_stripped_is_that_of_the_realm() {
    for protocol in PROTOCOLS {
        let lines = format!("domain = \"{}\"\nstrip = false", realm().domain);
        let gateway = Ntlm::start_with(protocol, "", realm_with(&lines));
        let whole = format!("alice@{}", realm().name);
        for user in [r"LAB\alice", "alice@lab.example", "alice"] {
            let answer = gateway.log_in(&Login::with(user, realm().password("alice")));
            assert_is(&answer, &whole);
        }
    }
}

#[test]
fn names_beyond_ascii_arrive_whole() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for user in [r"LAB\jürgen", "jürgen@lab.example", "jürgen"] {
            let answer = gateway.log_in(&Login::with(user, realm().password("jürgen")));
            assert_eq!(answer.status, 200, "{protocol} {user}: {}", answer.text());
            // The application reads headers as Latin-1; the bytes are UTF-8.
            let seen = reached(&answer, "Remote-User").remove(0);
            let bytes: Vec<u8> = seen.chars().map(|c| c as u32 as u8).collect();
            assert_eq!(String::from_utf8(bytes).unwrap(), "jürgen");
        }
    }
}

#[test]
fn a_name_is_never_a_command_to_the_helper() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start(protocol);
        for user in [
            "alice\nPassword: x",
            "alice\n.\nUsername: bob",
            "--username=alice",
            "alice%bob",
            "alice\0",
            "LAB\\\\alice",
        ] {
            let answer = gateway.log_in(&Login::with(user, realm().password("alice")));
            assert_eq!(answer.status, 401, "{protocol} {user:?}: {}", answer.text());
        }
        assert_is(&gateway.log_in(&Login::of("alice")), "alice");
    }
}

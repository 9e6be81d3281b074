//! `doorward probe --ntlm` shows all three messages, and at which one it ends.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::gateway::Setup;
use crate::lab::doorward::program;
use crate::lab::{realm, temp_dir};
use crate::ntlm::{Ntlm, PROTOCOLS};

/// A gateway with the domain's Samba behind it.
#[track_caller]
fn gateway(sso: &'static str) -> Ntlm {
    Ntlm::start_with(PROTOCOLS[0], "", Setup { sso, ..Setup::default() })
}

/// One that offers both mechanisms.
#[track_caller]
fn offering_both() -> Ntlm {
    Ntlm::start(PROTOCOLS[0])
}

fn command(url: &str, user: &str, args: &[&str]) -> Command {
    let mut command = program();
    command.args(["probe", url, "--ntlm", "--user", user, "--insecure"]).args(args);
    command.env_remove("DOORWARD_PASSWORD").stdin(Stdio::null());
    command
}

/// Whether a probe signed on, and what it said.
#[track_caller]
fn end(mut command: Command) -> (bool, String) {
    let output = command.output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains(realm().password("alice")), "{said}");
    (output.status.code().unwrap() == 0, said)
}

#[track_caller]
fn probe(url: &str, user: &str, password: &str, args: &[&str]) -> (bool, String) {
    let mut command = command(url, user, args);
    command.env("DOORWARD_PASSWORD", password);
    end(command)
}

#[test]
fn every_message_of_a_sign_on_over_tls_is_shown() {
    let strict = gateway("channel_binding = \"require\"");
    let url = strict.doorward.https_url("/");
    let (signed_on, said) = probe(&url, r"LAB\alice", realm().password("alice"), &[]);
    assert!(signed_on, "{said}");
    for leg in [
        "TLS 1.3",
        "offered: Negotiate, NTLM",
        r"LAB\alice, with the password in DOORWARD_PASSWORD",
        "the token is bound to the TLS connection",
        "with the scheme NTLM",
        "domain LAB",
        ", as here",
        "NTLMv2 session security, keys of 128 bits",
        r"answers as LAB\alice with NTLMv2, with channel binding, with message integrity code",
        "200 OK",
        "NTLM does not authenticate the server",
        "__Host-doorward received",
        "mechanism: ntlm",
        "channel bound: yes",
        "Signed on.",
    ] {
        assert!(said.contains(leg), "{leg} is missing in\n{said}");
    }
}

#[test]
fn an_old_client_is_told_what_it_lacks() {
    let strict = gateway("mechanisms = [\"ntlm\"]\nchannel_binding = \"require\"");
    let url = strict.doorward.https_url("/");
    let args = ["--no-channel-binding"];
    let (signed_on, said) = probe(&url, r"LAB\alice", realm().password("alice"), &args);
    assert!(!signed_on, "{said}");
    assert!(said.contains("without channel binding"), "{said}");
    assert!(said.contains("did not accept the third message. binding_missing: "), "{said}");
    assert!(said.contains("The gateway's log has more under "), "{said}");
}

#[test]
fn a_wrong_password_and_a_wrong_domain_fail_at_the_third_message() {
    let gateway = offering_both();
    let url = gateway.doorward.url("/");
    for (user, password) in
        [(r"LAB\alice", "wrong"), (r"LAB\nobody-at-all", "wrong"), (r"ELSEWHERE\alice", "wrong")]
    {
        let (signed_on, said) = probe(&url, user, password, &[]);
        assert!(!signed_on, "{said}");
        let refused = "did not accept the third message. logon_failed: ";
        assert!(said.contains(refused), "{user}: {said}");
    }
}

#[test]
fn every_form_of_a_name_signs_on() {
    let gateway = offering_both();
    let url = gateway.doorward.url("/");
    for user in [r"LAB\alice", r"lab\ALICE", "alice@lab.example"] {
        let (signed_on, said) = probe(&url, user, realm().password("alice"), &[]);
        assert!(signed_on, "{user}: {said}");
        assert!(said.contains("NOTHING authenticates the server"), "{said}");
    }
    let (signed_on, said) = probe(&url, r"LAB\jürgen", realm().password("jürgen"), &[]);
    assert!(signed_on, "{said}");
    assert!(said.contains("jürgen"), "{said}");
}

#[test]
fn the_password_may_stand_in_a_file_or_come_on_standard_input() {
    let gateway = offering_both();
    let url = gateway.doorward.url("/");
    let folder = temp_dir("password-");
    let file = folder.path().join("password");
    std::fs::write(&file, format!("{}\n", realm().password("alice"))).unwrap();
    let path = file.to_str().unwrap();
    let (signed_on, said) = end(command(&url, r"LAB\alice", &["--password-file", path]));
    assert!(signed_on, "{said}");

    let mut piped = command(&url, r"LAB\alice", &[]);
    let piped = piped.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    writeln!(child.stdin.take().unwrap(), "{}", realm().password("alice")).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");

    let (signed_on, said) = end(command(&url, r"LAB\alice", &[]));
    assert!(!signed_on, "{said}");
    assert!(said.contains("the password on standard input is empty"), "{said}");
    assert!(!said.contains("message 1"), "{said}");
}

#[test]
fn a_site_without_ntlm_says_so_at_the_first_message() {
    let kerberos = gateway("mechanisms = [\"negotiate\"]");
    let url = kerberos.doorward.url("/");
    let (signed_on, said) = probe(&url, r"LAB\alice", realm().password("alice"), &[]);
    assert!(!signed_on, "{said}");
    assert!(said.contains("with the scheme Negotiate"), "{said}");
    assert!(said.contains("did not accept the first message. ntlm_sent: "), "{said}");
}

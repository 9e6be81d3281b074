//! The lab's NTLM works without Doorward: clients sign on to `ntlm_auth` itself.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};

use crate::lab::ntlm::{Binding, Kind, Login, Mic, Wrap};
use crate::lab::{FaultyHelper, realm, winbind};

/// A helper of Samba's, spoken with by hand.
struct Helper(Child);

impl Helper {
    fn start(program: &str) -> Helper {
        let mut command = Command::new(program);
        command.arg(format!("--configfile={}", realm().smb_conf.display()));
        command.arg("--helper-protocol=squid-2.5-ntlmssp").stderr(Stdio::null());
        Helper(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    }

    fn ask(&mut self, question: &str) -> String {
        writeln!(self.0.stdin.as_mut().unwrap(), "{question}").unwrap();
        // One answer to a question: nothing is read ahead that would be lost.
        let mut line = String::new();
        BufReader::new(self.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    fn verdict(&mut self, login: &Login) -> String {
        let mut exchange = login.begin();
        let first = exchange.first();
        let challenge = self.ask(&format!("YR {}", first.split_once(' ').unwrap().1));
        let challenge = challenge.strip_prefix("TT ").unwrap_or_else(|| panic!("{challenge}"));
        let last = exchange.answer(challenge).unwrap();
        self.ask(&format!("KK {last}"))
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        let _gone_already = self.0.kill();
        let _gone_already = self.0.wait();
    }
}

#[test]
fn pyspnego_signs_on_and_its_faults_are_faults_to_samba_too() {
    let _winbind = winbind::up();
    let mut helper = Helper::start("/usr/bin/ntlm_auth");
    let alice = || Login::of("alice");
    let granted = format!(r"AF {}\alice", realm().domain);
    assert_eq!(helper.verdict(&alice()), granted);
    for length in [16, 32, 40] {
        let login = Login { first_length: Some(length), ..alice() };
        assert_eq!(helper.verdict(&login), granted, "{length}");
    }
    for binding in [Binding::Zero, Binding::To(b"tls-server-end-point:x".to_vec())] {
        let login = Login { binding, ..alice() };
        assert_eq!(helper.verdict(&login), granted, "the helper knows nothing of bindings");
    }
    let refused = [
        Login { password: "wrong".to_owned(), ..alice() },
        Login { response: Kind::Ntlmv1, ..alice() },
        Login { response: Kind::Lm, ..alice() },
        Login { response: Kind::Anonymous, ..alice() },
        Login { mic: Mic::Wrong, ..alice() },
        Login { mic: Mic::Missing, ..alice() },
        Login::of("carol"),
    ];
    for login in refused {
        let said = helper.verdict(&login);
        assert!(said.starts_with("NA NT_STATUS_"), "{login:?}: {said}");
    }
    let [jurgen, granted] = ["jürgen", &format!(r"AF {}\jürgen", realm().domain)];
    assert_eq!(helper.verdict(&Login::of(jurgen)), *granted);
}

#[test]
fn the_wrappings_differ_in_what_they_offer_first() {
    let first = |wrap| Login { wrap, ..Login::of("alice") }.begin().first();
    assert!(first(Wrap::Ntlm).starts_with("NTLM TlRMTVNT"));
    assert!(first(Wrap::Raw).starts_with("Negotiate TlRMTVNT"));
    assert!(first(Wrap::Spnego).starts_with("Negotiate YE"));
    assert!(first(Wrap::SecondChoice).starts_with("Negotiate YF"));
}

#[test]
fn winbind_stops_and_starts_and_ntlm_auth_with_it() {
    let mut winbind = winbind::alone();
    let verdict = || Helper::start("/usr/bin/ntlm_auth").verdict(&Login::of("alice"));
    winbind.stop();
    assert!(!verdict().starts_with("AF"));
    winbind.start();
    assert!(verdict().starts_with("AF"));
}

#[test]
fn a_faulty_helper_makes_its_fault_once_and_is_the_real_one_otherwise() {
    let _winbind = winbind::up();
    let faulty = FaultyHelper::new();
    let program = faulty.program();
    let program = program.to_str().unwrap();
    let alice = Login::of("alice");
    faulty.once("KK", "bh");
    let mut helper = Helper::start(program);
    assert_eq!(helper.verdict(&alice), "BH injected");
    assert!(!faulty.waits());
    assert!(helper.verdict(&alice).starts_with("AF"));
    faulty.once("KK", "die-before");
    assert_eq!(helper.verdict(&alice), "");
}

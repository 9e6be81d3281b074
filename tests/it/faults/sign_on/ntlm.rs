//! What winbind says of its domain is told in its own words, and is no matter of the person's.

use crate::gateway::Setup;
use crate::lab::ntlm::Login;
use crate::lab::{FaultyHelper, LIMIT, wait_until};
use crate::ntlm::{Ntlm, PROTOCOLS, reason};

#[test]
fn a_broken_trust_a_wrong_clock_and_a_foreign_program_have_their_own_words() {
    for protocol in PROTOCOLS {
        let helper = FaultyHelper::new();
        let lines = format!("ntlm_auth = \"{}\"\nhelpers = 2\n", helper.program().display());
        let gateway = Ntlm::start_with(protocol, &lines, Setup::default());
        let state = if protocol == "ntlm-server-1" { "question" } else { "KK" };
        for (fault, expected, words) in [
            ("clock", "winbind_clock", "set this host's by the domain's time"),
            ("trust", "winbind_trust", "net ads join"),
            ("wrong-verb", "ntlm_helper_failed", "not Samba's ntlm_auth"),
        ] {
            helper.always(state, fault);
            let refused = gateway.log_in(&Login::of("alice"));
            assert_eq!((refused.status, reason(&refused).as_str()), (503, expected), "{protocol}");
            let said = refused.json()["message"].to_string();
            assert!(!said.contains("password is wrong"), "{said}");
            let line = gateway.doorward.wait_log(expected, |line| line["reason"] == expected);
            let detail = line["detail"].as_str().unwrap();
            assert!(detail.contains(words), "{protocol} {fault}: {detail}");
            helper.heal();
            wait_until(LIMIT, "signing on again", || {
                (gateway.log_in(&Login::of("alice")).status == 200).then_some(())
            });
        }
    }
}

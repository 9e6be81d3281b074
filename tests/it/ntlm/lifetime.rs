//! Helpers come and go with the gateway's settings, and nobody notices.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::gateway::{Setup, web};
use crate::lab::ntlm::Login;
use crate::lab::{LIMIT, realm, wait_until};
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, setup_of};

fn helpers(gateway: &Ntlm, state: &str) -> f64 {
    gateway.metric(&format!("doorward_ntlm_helpers{{state=\"{state}\"}}"))
}

#[test]
fn the_first_sign_on_after_the_start_is_right_at_once() {
    for protocol in PROTOCOLS {
        for user in [r"LAB\alice", "alice@lab.example", "alice"] {
            let gateway = Ntlm::start_cold(protocol, "", Setup::default());
            let login = Login::with(user, realm().password("alice"));
            assert_is(&gateway.log_in(&login), "alice");
        }
    }
}

#[test]
fn helpers_that_all_die_while_they_are_idle_cost_one_attempt_at_most() {
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start_with(protocol, "helpers = 3\n", Setup::default());
        for _time in 0..3 {
            wait_until(LIMIT, "warm helpers", || (helpers(&gateway, "idle") == 3.0).then_some(()));
            // Not wbinfo, which may be at work for somebody else.
            let is_helper = |pid: &u32| {
                std::fs::read_to_string(format!("/proc/{pid}/comm"))
                    .is_ok_and(|name| name.trim() == "ntlm_auth")
            };
            let warm: Vec<_> = gateway.doorward.children().into_iter().filter(is_helper).collect();
            assert!(warm.len() >= 3, "{protocol}: {warm:?}");
            for pid in warm {
                let _ended_already = kill(Pid::from_raw(pid.cast_signed()), Signal::SIGKILL);
            }
            let first = gateway.log_in(&Login::of("alice"));
            let second = gateway.log_in(&Login::of("alice"));
            assert_is(if first.status == 200 { &first } else { &second }, "alice");
        }
        assert!(gateway.metric("doorward_ntlm_restarts_total") >= 9.0);
    }
}

#[test]
fn a_reload_changes_the_protocol_and_ends_the_helpers_of_before() {
    let [server_1, squid] = PROTOCOLS;
    let gateway = Ntlm::start_with(server_1, "helpers = 5\n", Setup::default());
    for (protocol, count) in [(squid, 2), (server_1, 3)] {
        let (mut open, mut exchange) = (gateway.connect(), Login::of("alice").begin());
        let asked = open.get(&web(), "/", &[("Authorization", &exchange.first())]);
        let second = exchange.next(&asked).unwrap();

        let setup = setup_of(protocol, &format!("helpers = {count}\n"), Setup::default());
        gateway.doorward.reload(&setup.config(gateway.app.port));
        wait_until(LIMIT, "the helpers of the new settings", || {
            let idle = helpers(&gateway, "idle") as usize;
            (idle == count && gateway.doorward.children().len() == count).then_some(())
        });
        assert_is(&gateway.log_in(&Login::of("bob")), "bob");
        // What was begun before may end either way, but not as somebody else.
        let answer = open.get(&web(), "/", &[("Authorization", &second)]);
        match answer.status {
            200 => assert_is(&answer, "alice"),
            _ => assert_eq!(answer.status, 401, "{answer:?}"),
        }
    }
}

#[test]
fn a_gateway_that_ends_leaves_no_helper_behind() {
    for protocol in PROTOCOLS {
        let _winbind = crate::lab::winbind::up();
        let mut gateway = setup_of(protocol, "helpers = 3\n", Setup::default()).start();
        let idle = "doorward_ntlm_helpers{state=\"idle\"}";
        wait_until(LIMIT, "warm helpers", || (gateway.metric(idle) == 3.0).then_some(()));
        for end in ["stop", "kill"] {
            let warm = gateway.doorward.children();
            match end {
                "stop" => drop(gateway.doorward.stop()),
                _ => gateway.doorward.kill9(),
            }
            for pid in warm {
                let gone = || !std::path::Path::new(&format!("/proc/{pid}/exe")).exists();
                wait_until(LIMIT, &format!("{end}: the end of {pid}"), || gone().then_some(()));
            }
            gateway.doorward.restart();
            wait_until(LIMIT, "warm helpers", || (gateway.metric(idle) == 3.0).then_some(()));
        }
    }
}

//! Many people at once: every answer is the right user's.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::gateway::Setup;
use crate::lab::ntlm::Login;
use crate::lab::realm;
use crate::ntlm::{Ntlm, PROTOCOLS, assert_is, reason};

const USERS: usize = 50;
const LOGINS: usize = 500;
const THREADS: usize = 25;

#[test]
fn five_hundred_logins_of_fifty_users_at_once_are_each_the_right_user() {
    let users = realm().add_users("crowd", USERS);
    assert_eq!(users.len(), USERS);
    for protocol in PROTOCOLS {
        let gateway = Ntlm::start_with(protocol, "helpers = 4\n", Setup::default());
        let left = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..THREADS {
                let (users, gateway, left) = (&users, &gateway, &left);
                scope.spawn(move || {
                    for login in 0..LOGINS / THREADS {
                        let (name, password) = &users[(login * THREADS + thread) % USERS];
                        let user = format!(r"{}\{name}", realm().domain);
                        let answer = gateway.log_in(&Login::with(&user, password));
                        match answer.status {
                            200 => assert_is(&answer, name),
                            // A helper waits for its client while no other wants it, and
                            // this one was late: it begins again.
                            _ => {
                                assert_eq!(protocol, "squid-2.5-ntlmssp", "{answer:?}");
                                assert_eq!(reason(&answer), "exchange_interrupted");
                                left.fetch_add(1, Ordering::Relaxed);
                            }
                        }
                    }
                });
            }
        });
        let verdict = |word: &str| {
            gateway.metric(&format!("doorward_ntlm_verdicts_total{{verdict=\"{word}\"}}"))
        };
        let left = left.into_inner();
        assert!(left < LOGINS / 2, "{protocol}: {left} began in vain");
        assert_eq!(verdict("granted"), (LOGINS - left) as f64, "{protocol}");
        assert_eq!(gateway.metric("doorward_ntlm_waiting"), 0.0);
        assert_eq!(gateway.metric("doorward_ntlm_helpers{state=\"busy\"}"), 0.0);
        assert_eq!(gateway.metric("doorward_ntlm_helpers{state=\"reserved\"}"), 0.0);
    }
}

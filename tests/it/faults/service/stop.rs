//! An orderly stop is no fault of anybody's.

use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::gateway::{Gateway, Setup, web};
use crate::lab::http::Raw;
use crate::lab::timed;
use crate::ntlm::Ntlm;

#[test]
fn a_stop_warns_of_nothing_also_where_everything_is_told_to_stop() {
    for everything in [false, true] {
        let mut gateway = Ntlm::start_with("ntlm-server-1", "", Setup::default());
        let children = gateway.doorward.children();
        assert!(children.len() >= 2, "there are helpers: {children:?}");
        if everything {
            // As a service manager does: everything in the service at once, in any order.
            for child in children {
                let _ = kill(Pid::from_raw(child.cast_signed()), Signal::SIGTERM);
            }
        }
        let status = gateway.stop();
        assert!(status.success(), "{status}");
        let warned: Vec<_> = gateway
            .doorward
            .log()
            .into_iter()
            .filter(|line| line["level"] == "WARN" || line["level"] == "ERROR")
            .filter(|line| !line.to_string().contains("self-signed certificate"))
            .collect();
        assert!(warned.is_empty(), "{everything}: {warned:?}");
    }
}

#[test]
fn a_stop_does_not_wait_for_those_who_have_asked_nothing() {
    let mut gateway = Gateway::start();
    let https = gateway.doorward.https_port();
    // As browsers connect before they need it.
    let silent = [gateway.connect(), Raw::connect(https), Raw::connect_tls(https)];
    let mut kept = gateway.connect();
    assert_eq!(kept.get(&web(), "/", &[]).status, 401);
    let (ended, took) = timed(|| gateway.doorward.stop());
    assert!(ended.success());
    assert!(took < Duration::from_secs(5), "stop_timeout is 10 s: {took:?}");
    drop((silent, kept));
}

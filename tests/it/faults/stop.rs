//! An orderly stop is no fault of anybody's.

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::gateway::Setup;
use crate::ntlm_gateway::Ntlm;

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

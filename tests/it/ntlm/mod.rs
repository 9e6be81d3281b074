//! A gateway that signs people on by NTLM: what tests of NTLM begin with.

mod bindings;
mod connection;
mod helpers;
mod http2;
mod lab;
mod lifetime;
mod load;
mod names;
mod refusals;
mod second_client;
mod sign_on;

use crate::gateway::{Gateway, Setup, reached};
use crate::lab::http::{Raw, Response};
use crate::lab::ntlm::Login;
use crate::lab::{LIMIT, realm, wait_until, winbind};

/// What can be spoken with the helpers.
pub(crate) const PROTOCOLS: [&str; 2] = ["ntlm-server-1", "squid-2.5-ntlmssp"];

/// A gateway that asks the lab's winbind.
pub(crate) struct Ntlm {
    gateway: Gateway,
    _winbind: winbind::Up,
}

impl std::ops::Deref for Ntlm {
    type Target = Gateway;

    fn deref(&self) -> &Gateway {
        &self.gateway
    }
}

impl Ntlm {
    /// A gateway with nothing special about it.
    #[track_caller]
    pub(crate) fn start(protocol: &str) -> Ntlm {
        Ntlm::start_with(protocol, "", Setup::default())
    }

    /// One with further lines of `[sso.ntlm]`, and set up otherwise.
    #[track_caller]
    pub(crate) fn start_with(protocol: &str, lines: &str, setup: Setup) -> Ntlm {
        let cold = Ntlm::start_cold(protocol, lines, setup);
        wait_until_ready(&cold);
        cold
    }

    /// One that was started this moment, and may have no helper yet.
    #[track_caller]
    pub(crate) fn start_cold(protocol: &str, lines: &str, setup: Setup) -> Ntlm {
        let _winbind = winbind::up();
        Ntlm { gateway: setup_of(protocol, lines, setup).start(), _winbind }
    }

    /// Asks the gateway to end, and waits.
    #[track_caller]
    pub(crate) fn stop(&mut self) -> std::process::ExitStatus {
        self.gateway.doorward.stop()
    }

    /// A TLS connection on which the test says every byte.
    #[track_caller]
    pub(crate) fn connect_tls(&self) -> Raw {
        Raw::connect_tls(self.doorward.https_port())
    }

    /// Signs on, on a plain connection of its own.
    #[track_caller]
    pub(crate) fn log_in(&self, login: &Login) -> Response {
        login.get(&mut self.connect(), "/", &[])
    }
}

/// The setup of a gateway with NTLM, for tests that start it themselves.
pub(crate) fn setup_of(protocol: &str, lines: &str, setup: Setup) -> Setup {
    let args = match lines.contains("ntlm_auth_args") {
        true => String::new(),
        false => format!("ntlm_auth_args = [\"--configfile={}\"]\n", realm().smb_conf.display()),
    };
    let lines = format!("helper_protocol = \"{protocol}\"\n{args}{lines}");
    Setup { ntlm: Some(lines), ..setup }
}

/// Waits until the gateway says that it can sign people on.
#[track_caller]
pub(crate) fn wait_until_ready(gateway: &Gateway) {
    wait_until(LIMIT, "/ready", || (gateway.status("/ready").status == 200).then_some(()));
}

/// Whether the application was told that `user` is there, by NTLM.
#[track_caller]
pub(crate) fn assert_is(answer: &Response, user: &str) {
    assert_eq!(answer.status, 200, "{user}: {answer:?}");
    assert_eq!(reached(answer, "Remote-User"), [user]);
    assert_eq!(reached(answer, "Remote-Mechanism"), ["ntlm"]);
    assert_eq!(reached(answer, "Authorization"), [] as [&str; 0]);
}

/// The word for why an answer is a refusal.
#[track_caller]
pub(crate) fn reason(answer: &Response) -> String {
    assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
    let said = answer.json();
    said["error"].as_str().unwrap_or_else(|| panic!("no refusal: {said}")).to_owned()
}

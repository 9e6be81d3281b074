//! The core as its peers meet it: a core on both its transports, and who asks it.

use std::process::Command;

use serde_json::Value;

use crate::lab::{Doorward, Pki, realm};

mod api;
mod keys;
mod peers;
mod remote;
pub(crate) mod tls;
mod trusted_application;
mod trusted_names;

/// A core that listens on its socket and by TLS.
pub(crate) struct Core {
    pub(crate) doorward: Doorward,
    pub(crate) pki: Pki,
}

/// Who asks it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum By {
    /// A process of root, the core's own account.
    Root,
    /// A process of this account, or with a uid that no account has.
    Account(&'static str),
    /// A process of this account that is root in a user namespace of its own.
    Namespace(&'static str),
    /// A TLS connection with `NAME.pem`.
    Key(&'static str),
    /// A TLS connection without a certificate.
    Nobody,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The media type of the body.
    pub(crate) kind: String,
    pub(crate) body: String,
}

impl Core {
    /// Asks it. An answer without end is left after two seconds.
    #[track_caller]
    pub(crate) fn ask(&self, by: By, method: &str, path: &str, body: Option<&Value>) -> Answer {
        let mut command = by.curl();
        let limit = if path == "/v1/events" { "2" } else { "30" };
        command.args(["--silent", "--max-time", limit, "-X", method]);
        command.args(["--write-out", "\n%{http_code} %{content_type}"]);
        match by {
            By::Root | By::Account(_) | By::Namespace(_) => {
                command.arg("--unix-socket").arg(self.doorward.core_socket());
                command.arg(format!("http://core{path}"));
            }
            By::Key(_) | By::Nobody => {
                command.args(["--cacert", &self.pki.text("ca.crt")]);
                let (host, port) = (realm().host("web"), self.doorward.core_port());
                command.arg(format!("https://{host}:{port}{path}"));
            }
        }
        if let By::Key(name) = by {
            command.args(["--cert", &self.pki.text(&format!("{name}.pem"))]);
        }
        if let Some(body) = body {
            command.args(["-H", "Content-Type: application/json", "--data", &body.to_string()]);
        }
        let done = command.output().unwrap();
        let said = String::from_utf8(done.stdout).unwrap();
        let (body, facts) = said.rsplit_once('\n').unwrap();
        let (status, kind) = facts.split_once(' ').unwrap();
        Answer { status: status.parse().unwrap(), kind: kind.to_owned(), body: body.to_owned() }
    }
}

impl By {
    /// curl, run by the right account.
    fn curl(self) -> Command {
        let (By::Account(account) | By::Namespace(account)) = self else {
            return Command::new("curl");
        };
        let mut command = Command::new("setpriv");
        command.args(["--reuid", account, "--clear-groups"]);
        if let By::Namespace(_) = self {
            command.args(["unshare", "--user", "--map-root-user"]);
        }
        command.arg("curl");
        command
    }
}

impl Answer {
    /// The body; null where it is no JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_default()
    }
}

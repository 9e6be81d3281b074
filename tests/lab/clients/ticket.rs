//! What a signed-on user has: a credential cache, and tokens made from it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::lab::{clients, lab_path, output};

/// A signed-on user: a credential cache and the configuration that goes with it.
#[derive(Clone, Debug)]
pub struct Ticket {
    /// The credential cache.
    pub ccache: PathBuf,
    /// The `krb5.conf` of its realm.
    pub krb5_config: PathBuf,
}

impl Ticket {
    /// The environment that makes a client use this ticket.
    pub fn env(&self) -> [(&'static str, &Path); 2] {
        [("KRB5CCNAME", &self.ccache), ("KRB5_CONFIG", &self.krb5_config)]
    }

    /// `count` different SPNEGO tokens for `HTTP@host`, in base64, asking for mutual
    /// authentication.
    #[track_caller]
    pub fn tokens(&self, host: &str, count: usize) -> Vec<String> {
        self.tokens_with(host, count, &TokenOptions::default())
    }

    /// The same, made otherwise.
    #[track_caller]
    pub fn tokens_with(&self, host: &str, count: usize, options: &TokenOptions) -> Vec<String> {
        let mut command = clients::venv_python(Some(self));
        if let Some(offset) = &options.clock {
            command = under_faketime(offset, &command);
        }
        command.arg(lab_path("clients/tokens.py")).arg(host).arg(count.to_string());
        if let Some(service) = &options.service {
            command.arg("--service").arg(service);
        }
        if options.raw {
            command.arg("--raw");
        }
        if options.one_way {
            command.arg("--one-way");
        }
        if let Some(binding) = &options.binding {
            let hex: String = binding.iter().map(|byte| format!("{byte:02x}")).collect();
            command.arg("--binding").arg(hex);
        }
        let (out, err) = output(&mut command);
        assert!(err.is_empty() && !out.is_empty(), "no tokens for {host}: {err}");
        out.lines().map(str::to_owned).collect()
    }
}

/// How tokens are made.
#[derive(Clone, Debug, Default)]
pub struct TokenOptions {
    /// Kerberos tokens, not wrapped in SPNEGO.
    pub raw: bool,
    /// Without mutual authentication.
    pub one_way: bool,
    /// The application data of the channel binding, e.g. `tls-server-end-point:…`.
    pub binding: Option<Vec<u8>>,
    /// The class of the service, where it is another than `HTTP`.
    pub service: Option<String>,
    /// How far the client's clock is off, as faketime says it: `+10m`.
    pub clock: Option<String>,
}

/// The same command, started by faketime.
fn under_faketime(offset: &str, command: &Command) -> Command {
    let mut faked = Command::new("faketime");
    faked.arg("-f").arg(offset).arg(command.get_program());
    for (key, value) in command.get_envs() {
        match value {
            Some(value) => faked.env(key, value),
            None => faked.env_remove(key),
        };
    }
    faked
}

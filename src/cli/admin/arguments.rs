//! Arguments of `doorward admin`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// Arguments of `doorward admin`.
#[derive(Debug, Args)]
pub struct AdminArguments {
    /// Which core, and who we are to it.
    #[command(flatten)]
    pub(super) place: Place,
    /// Prints JSON, for programs
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// What to ask.
    #[command(subcommand)]
    pub(super) subject: Subject,
}

/// Which core, and who we are to it. Without any of these, the core of
/// /etc/doorward/doorward.toml, or of the defaults.
#[derive(Debug, Default, Args)]
pub(super) struct Place {
    /// The core's unix socket
    #[arg(long, global = true, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    /// A core on another host, such as <https://core.example:237>
    #[arg(long, global = true, value_name = "URL")]
    pub(super) core: Option<String>,
    /// PEM file with our private key and certificate, for --core
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) sslkey_file: Option<PathBuf>,
    /// File with the passphrase of this key
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) sslkey_pass_file: Option<PathBuf>,
    /// PEM file with the authority of the core's certificate, instead of the system's
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// The configuration that names the core
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Subject {
    /// Lists, shows and ends sessions
    Session {
        /// What to do.
        #[command(subcommand)]
        action: SessionAction,
    },
    /// Lists the keys with which services, web applications and fronts sign on
    Key {
        /// What to do.
        #[command(subcommand)]
        action: KeyAction,
    },
    /// Shows which identity the core gives the caller
    Peer,
}

#[derive(Debug, Subcommand)]
pub(super) enum SessionAction {
    /// Lists the live sessions, the oldest first
    List(ListSessions),
    /// Shows everything about a session
    Show {
        /// Its id, as in the list or in the audit log: eight digits or more
        id: String,
    },
    /// Ends sessions, everywhere and at once
    End(EndSessions),
}

#[derive(Debug, Args)]
pub(super) struct ListSessions {
    /// Lists the sessions of this user; write the name as for a sign-on
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    #[command(flatten)]
    pub(super) page: PageArguments,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct EndSessions {
    /// Their ids, as in the list or in the audit log: eight digits or more
    #[arg(value_name = "ID")]
    pub(super) ids: Vec<String>,
    /// Ends the sessions of this user; write the name as for a sign-on
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Ends all sessions
    #[arg(long)]
    pub(super) all: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum KeyAction {
    /// Lists the files in sslkeys_path with their entries
    List(PageArguments),
}

#[derive(Debug, Args)]
pub(super) struct PageArguments {
    /// The maximum number of entries
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub(super) limit: u16,
    /// Prints the page after the one that named NEXT
    #[arg(long, value_name = "NEXT")]
    pub(super) after: Option<String>,
}

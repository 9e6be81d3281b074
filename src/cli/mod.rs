//! The command line: one file or folder a subcommand.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

pub mod admin;
pub mod cert;
pub mod check;
pub mod probe;
mod readable;
pub mod reload;
pub mod role;
pub mod serve;

/// An authentication and single sign-on gateway.
///
/// The front authenticates clients (by Kerberos, NTLM, client certificate or
/// password). The core decides who may come in, and stores the sessions. Web
/// applications behind the front receive a proven identity.
#[derive(Debug, Parser)]
#[command(name = "doorward", version, after_help = EXIT_CODES)]
#[command(propagate_version = true, subcommand_required = true, arg_required_else_help = true)]
pub struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `doorward` can do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Runs front and core in one process; needs no configuration file
    Serve(Configured),
    /// Runs the front alone: listens, authenticates clients, proxies
    Front(Separate),
    /// Runs the core alone: decides who may come in, stores the sessions
    Core(Separate),
    /// Makes a running gateway read its configuration again, and prints the result
    ///
    /// SIGHUP does the same, without a result. If the new configuration is wrong, the
    /// gateway continues with the old one.
    Reload(ReloadArguments),
    /// Checks the configuration and everything that the gateway needs
    ///
    /// Prints one line for each check: `ok`, `warn` or `FAIL`, what it found, and how
    /// to fix it. The last line is a summary. Run it as the user that starts the gateway; the
    /// gateway may be running or stopped. As root, it becomes `run_as_user`, as the gateway
    /// does. It changes nothing.
    Check(CheckArguments),
    /// Makes keys and certificates for servers and services, and explains them
    ///
    /// It asks no questions, and overwrites a file only with --renew.
    Cert(cert::CertArguments),
    /// Asks a running core: sessions, keys, and which identity it gives the caller
    ///
    /// Uses the core's unix socket, or TLS with a key that the core knows. Only
    /// administrators may see sessions and keys.
    Admin(admin::AdminArguments),
    /// Signs on like a client, and shows every leg
    ///
    /// Without a mechanism, it only shows what the server offers.
    Probe(ProbeArguments),
}

/// Arguments of commands that can do without a file.
#[derive(Debug, Args)]
pub struct Configured {
    /// The configuration [default: /etc/doorward/doorward.toml, if that exists]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// Arguments of commands that cannot.
#[derive(Debug, Args)]
pub struct Separate {
    /// The configuration
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
}

/// Arguments of `doorward reload`.
#[derive(Debug, Args)]
pub struct ReloadArguments {
    /// The process id of `doorward serve`, `front` or `core`; run this as the same user or as root
    #[arg(value_name = "PID")]
    pub pid: u32,
}

/// Arguments of `doorward check`.
#[derive(Debug, Args)]
pub struct CheckArguments {
    /// Which configuration.
    #[command(flatten)]
    pub configured: Configured,
    /// Prints a JSON array of {"check", "status", "found", "mend"}; the last
    /// element is the summary
    #[arg(long)]
    pub json: bool,
}

/// Arguments of `doorward probe`.
#[derive(Debug, Args)]
pub struct ProbeArguments {
    /// A page that asks for a sign-on, such as <https://web.example/>
    pub url: String,
    /// Signs on by Kerberos, with the ticket that `klist` shows
    #[arg(long, group = "mechanism")]
    pub negotiate: bool,
    /// Signs on by NTLM, as --user
    #[arg(long, group = "mechanism", requires = "user")]
    pub ntlm: bool,
    /// Signs on by client certificate: a PEM file with key and certificate
    #[arg(long, value_name = "FILE", group = "mechanism")]
    pub cert: Option<PathBuf>,
    /// Reads the passphrase of the key in --cert from this file
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub cert_pass_file: Option<PathBuf>,
    /// The user for NTLM: 'DOMAIN\user' or user@dns.domain
    ///
    /// The password comes from --password-file, or from the environment variable
    /// DOORWARD_PASSWORD. Otherwise `probe` asks for it on the terminal, or reads the
    /// first line of standard input if that is not a terminal.
    #[arg(long, value_name = "NAME", requires = "ntlm")]
    pub user: Option<String>,
    /// Reads the password of --user from this file
    #[arg(long, value_name = "FILE", requires = "ntlm")]
    pub password_file: Option<PathBuf>,
    /// Trusts the certificates in this PEM file instead of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub ca: Option<PathBuf>,
    /// Continues with a certificate that is not trusted
    #[arg(long)]
    pub insecure: bool,
    /// Asks for a ticket for this service instead of HTTP/ and the URL's host
    #[arg(long, value_name = "HTTP/HOST", requires = "negotiate")]
    pub spn: Option<String>,
    /// Does not bind the token to the TLS connection, as old clients do
    #[arg(long, requires = "mechanism")]
    pub no_channel_binding: bool,
}

impl Configured {
    /// The file to read: the given one, else the system's where there is one.
    /// `None`: the defaults run.
    pub fn path(&self) -> Option<PathBuf> {
        let system = Path::new(SYSTEM_CONFIGURATION);
        self.config.clone().or_else(|| system.exists().then(|| system.to_owned()))
    }
}

/// Where packages put the configuration.
const SYSTEM_CONFIGURATION: &str = "/etc/doorward/doorward.toml";

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 failed, 2 wrong usage, 78 wrong configuration.
`doorward help COMMAND` explains a command.";

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use clap::error::ErrorKind;

    use super::*;

    fn refused(line: &str) -> ErrorKind {
        Arguments::try_parse_from(line.split(' ')).unwrap_err().kind()
    }

    #[test]
    fn the_command_line_is_consistent() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn help_tells_about_every_argument() {
        let whole = Arguments::command();
        let mut commands: Vec<_> = whole.get_subcommands().collect();
        while let Some(command) = commands.pop() {
            commands.extend(command.get_subcommands());
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for argument in command.get_arguments().filter(|known| known.get_id() != "help") {
                assert!(argument.get_help().is_some(), "{} {argument}", command.get_name());
            }
        }
    }

    #[test]
    fn half_a_gateway_needs_its_configuration() {
        assert_eq!(refused("doorward front"), ErrorKind::MissingRequiredArgument);
        assert_eq!(refused("doorward core"), ErrorKind::MissingRequiredArgument);
        assert!(Arguments::try_parse_from(["doorward", "serve"]).is_ok());
    }

    #[test]
    fn a_probe_trusts_a_ca_or_everybody_but_not_both() {
        let both = "doorward probe https://web.example --ca ca.pem --insecure";
        assert_eq!(refused(both), ErrorKind::ArgumentConflict);
        let aimless = "doorward probe https://web.example --spn HTTP/web.example";
        assert_eq!(refused(aimless), ErrorKind::MissingRequiredArgument);
    }

    #[test]
    fn a_probe_signs_on_in_one_way_and_by_ntlm_as_somebody() {
        let both = "doorward probe https://web.example --negotiate --ntlm --user john";
        assert_eq!(refused(both), ErrorKind::ArgumentConflict);
        for incomplete in ["--ntlm", "--user john", "--no-channel-binding", "--password-file f"] {
            let line = format!("doorward probe https://web.example {incomplete}");
            assert_eq!(refused(&line), ErrorKind::MissingRequiredArgument, "{incomplete}");
        }
        for way in ["--negotiate", "--ntlm --user john"] {
            let line = format!("doorward probe https://web.example {way} --no-channel-binding");
            assert!(Arguments::try_parse_from(line.split(' ')).is_ok(), "{way}");
        }
    }
}

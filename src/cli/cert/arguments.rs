//! Arguments of `doorward cert`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

/// Arguments of `doorward cert`.
#[derive(Debug, Args)]
pub struct CertArguments {
    /// What to do.
    #[command(subcommand)]
    pub(super) action: Action,
}

#[derive(Debug, Subcommand)]
pub(super) enum Action {
    /// Makes the CA: cacert.pem and cakey.pem
    ///
    /// The CA signs the certificates of your servers and services. It cannot sign
    /// another CA.
    Ca(CaArguments),
    /// Makes NAME.pem for a server: key, certificate, chain
    Server(ServerArguments),
    /// Makes NAME.pem and NAME-public.pem for a service
    ///
    /// Give NAME.pem (key and certificate) to the service. Put NAME-public.pem into
    /// the core's sslkeys_path.
    Client(ClientArguments),
    /// Explains a PEM file: its keys and certificates, and whether Doorward can use it
    ///
    /// Exit code 1 means that Doorward cannot use the file; the output says why.
    Show(ShowArguments),
}

#[derive(Debug, Args)]
pub(super) struct CaArguments {
    /// The CA's common name [default: "Doorward CA" and this host's name]
    #[arg(long, value_name = "CN", conflicts_with = "renew")]
    pub(super) name: Option<String>,
    /// The lifetime of the certificate in days
    #[arg(long, value_name = "N", default_value_t = 3650, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(super) days: u32,
    #[command(flatten)]
    pub(super) making: Making,
    #[command(flatten)]
    pub(super) pass: PassArguments,
}

#[derive(Debug, Args)]
pub(super) struct ServerArguments {
    /// The server's host name or address
    pub(super) name: String,
    /// A further host name or address, also *.example.com; repeat it for more names
    #[arg(long, value_name = "NAME")]
    pub(super) san: Vec<String>,
    /// The lifetime of the certificate in days; browsers accept 398 at most
    #[arg(long, value_name = "N", default_value_t = 397, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(super) days: u32,
    #[command(flatten)]
    pub(super) signed: SignedArguments,
}

#[derive(Debug, Args)]
pub(super) struct ClientArguments {
    /// The service's name: letters, digits, dot, hyphen, underscore
    pub(super) name: String,
    /// The lifetime of the certificate in days
    #[arg(long, value_name = "N", default_value_t = 1095, value_parser = clap::value_parser!(u32).range(1..=36_500))]
    pub(super) days: u32,
    #[command(flatten)]
    pub(super) signed: SignedArguments,
}

/// What servers and clients have in common.
#[derive(Debug, Args)]
pub(super) struct SignedArguments {
    /// The folder of cacert.pem and cakey.pem [default: the folder of --dir]
    #[arg(long, value_name = "DIR")]
    pub(super) ca: Option<PathBuf>,
    /// Reads the passphrase of cakey.pem from this file
    #[arg(long, value_name = "FILE", conflicts_with = "ca_pass_env")]
    pub(super) ca_pass_file: Option<PathBuf>,
    /// Reads the passphrase of cakey.pem from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    pub(super) ca_pass_env: Option<String>,
    #[command(flatten)]
    pub(super) making: Making,
    #[command(flatten)]
    pub(super) pass: PassArguments,
}

#[derive(Debug, Args)]
pub(super) struct Making {
    /// The folder to write to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(super) dir: PathBuf,
    /// Makes an RSA key instead of ECDSA on P-256; --rsa alone means 3072 bits
    #[arg(long, value_name = "BITS", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "3072", conflicts_with = "renew")]
    pub(super) rsa: Option<RsaBits>,
    /// Makes a new certificate for the existing key
    #[arg(long)]
    pub(super) renew: bool,
}

/// Lengths of RSA keys that are made.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RsaBits {
    #[value(name = "2048")]
    Short,
    #[value(name = "3072")]
    Middle,
    #[value(name = "4096")]
    Long,
}

/// Where the passphrase of a private key comes from. None: the key is not encrypted.
#[derive(Debug, Default, Args)]
pub(super) struct PassArguments {
    /// Reads the passphrase of the private key from this file
    #[arg(long, value_name = "FILE", conflicts_with = "pass_env")]
    pub(super) pass_file: Option<PathBuf>,
    /// Reads the passphrase of the private key from this environment variable
    #[arg(long, value_name = "VARIABLE")]
    pub(super) pass_env: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct ShowArguments {
    /// The file
    pub(super) file: PathBuf,
    /// Prints JSON
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) pass: PassArguments,
}

/// A lifetime in days as a duration.
pub(super) const fn days(days: u32) -> Duration {
    Duration::from_secs(days as u64 * 24 * 60 * 60)
}

//! Where the core is.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;
use std::str::FromStr;

use http::Uri;

use super::certificate::CertificateFiles;
use crate::config::reading::TextValue;
use crate::config::value_types::addresses::{is_host_name, port_of};

/// Where the front finds the core.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CoreAddress {
    /// A unix socket.
    Unix(PathBuf),
    /// TLS, on this host or another.
    Https(RemoteCore),
}

/// A core that is reached by TLS, and who we are to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RemoteCore {
    /// Its name, lower case, or its address: its certificate must be for it.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Key and certificate to sign on with; `None`: we come as nobody.
    pub client: Option<CertificateFiles>,
    /// PEM file with the authority of its certificate; `None`: the system's authorities.
    pub ca_file: Option<PathBuf>,
}

impl TextValue for CoreAddress {
    const TYPE: &'static str = "socket address";

    /// Without what is before an `@`: it may be a password.
    fn shown(text: &str) -> String {
        match text.split_once("://") {
            Some((scheme, rest)) => {
                format!("{:?}", format!("{scheme}://{}", rest.rsplit('@').next().unwrap_or(rest)))
            }
            None => format!("{text:?}"),
        }
    }

    fn parse(text: &str) -> Result<Self, String> {
        if text.starts_with("https://") {
            return remote_core(text).map(Self::Https);
        }
        let path =
            text.strip_prefix("unix:").filter(|path| path.starts_with('/') && !path.contains('\0'));
        match path {
            None => {
                Err("is not a unix socket; write it as unix:/run/doorward/core.sock".to_owned())
            }
            Some(path) if path.len() > SOCKET_PATH_BYTES => Err(format!(
                "is longer than {SOCKET_PATH_BYTES} bytes, the limit for a socket's path; choose a shorter one"
            )),
            Some(path) => Ok(Self::Unix(PathBuf::from(path))),
        }
    }
}

/// As in the configuration.
impl FromStr for CoreAddress {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::parse(text)
    }
}

/// `https://core.example:237`, and nothing behind it.
fn remote_core(text: &str) -> Result<RemoteCore, String> {
    let wrong = || "is not the address of a core; write it as https://core.example:237".to_owned();
    let uri = Uri::from_str(text).map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let host = authority.host().trim_matches(['[', ']']);
    let is_host = is_host_name(host) || host.parse::<IpAddr>().is_ok();
    let port = port_of(authority, CORE_PORT).ok_or_else(wrong)?;
    let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
    if !is_host || !bare || authority.as_str().contains('@') || text.contains('#') {
        return Err(wrong());
    }
    Ok(RemoteCore { host: host.to_ascii_lowercase(), port, client: None, ca_file: None })
}

impl fmt::Display for CoreAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "{}", path.display()),
            Self::Https(RemoteCore { host, port, .. }) if host.parse::<Ipv6Addr>().is_ok() => {
                write!(f, "https://[{host}]:{port}")
            }
            Self::Https(RemoteCore { host, port, .. }) => write!(f, "https://{host}:{port}"),
        }
    }
}

/// The usual port of the core's TLS, since ZCP (server_ssl_port).
const CORE_PORT: u16 = 237;
/// `sun_path` of Linux, less its NUL (unix(7)).
const SOCKET_PATH_BYTES: usize = 107;

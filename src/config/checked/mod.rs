//! The settings that run: parsed, complete and consistent. Nothing here is
//! looked up, opened or bound yet.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use http::Uri;
use ipnet::IpNet;

use super::secret::Secret;
use crate::wire::Mechanism;

mod core;

pub(crate) use self::core::*;

/// Everything `doorward.toml` can say, checked.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// This node in a multi-server set-up.
    pub server_name: String,
    /// The host's full name, from the file or the system.
    pub server_hostname: String,
    /// The embedded database and generated keys live here.
    pub state_path: PathBuf,
    /// Whom to become once the sockets are open; `None`: who started it.
    pub run_as: Option<RunAs>,
    /// What is logged, and where.
    pub log: Log,
    /// The front's sockets and limits.
    pub front: Front,
    /// How clients may sign on.
    pub sso: Sso,
    /// The sites, the most specific first.
    pub sites: Vec<Site>,
    /// The core's socket and policy.
    pub core: Core,
}

impl Settings {
    /// Whether anybody may sign on by this, at a site or on Doorward's own pages.
    pub(crate) fn offers(&self, mechanism: Mechanism) -> bool {
        let mut lists =
            self.sites.iter().map(|site| &site.mechanisms).chain([&self.sso.mechanisms]);
        self.sso.enable_sso && lists.any(|offered| offered.contains(&mechanism))
    }
}

/// `run_as_user` and `run_as_group`, as written: digits are an id, all else a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunAs {
    /// The account.
    pub user: String,
    /// The group; `None`: the account's primary one.
    pub group: Option<String>,
}

/// `[log]`
#[derive(Clone, Debug)]
pub(crate) struct Log {
    /// The lowest level of the lines that are written.
    pub level: tracing::Level,
    /// How lines look.
    pub format: LogFormat,
    /// Where audit lines go.
    pub audit: AuditTarget,
    /// Whether a sign-on fails if its audit line cannot be written to the disk.
    pub audit_required: bool,
}

/// `log.format`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogFormat {
    /// Text on a terminal, JSON otherwise.
    Automatic,
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// `log.audit`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum AuditTarget {
    /// Standard error, beside the log.
    Stderr,
    /// A file, appended to; reopened on SIGHUP.
    File(PathBuf),
}

/// `[front]`
#[derive(Clone, Debug)]
pub(crate) struct Front {
    /// Plain HTTP listeners.
    pub listen: Vec<SocketAddr>,
    /// Whether nobody wrote that list.
    pub listen_by_default: bool,
    /// TLS listeners.
    pub listen_tls: Vec<SocketAddr>,
    /// The status listener, where there is one.
    pub listen_status: Option<SocketAddr>,
    /// Key and certificate of the TLS listeners; `None`: a self-signed one is made.
    pub certificate: Option<CertificateFiles>,
    /// Authorities of clients' certificates; `None`: clients are asked for none.
    pub clients: Option<AuthorityFiles>,
    /// Networks whose forwarding headers count.
    pub trusted_proxies: Vec<IpNet>,
    /// The core.
    pub core: CoreAddress,
    /// Connections at once.
    pub max_connections: usize,
    /// Connections at once from one address that is no trusted proxy, where that is set.
    pub max_connections_per_address: Option<usize>,
    /// A request's header lines at most, in bytes.
    pub max_header_bytes: usize,
    /// A TLS handshake or a request head must be complete within this time.
    pub header_timeout: Duration,
    /// A keep-alive connection may be idle this long.
    pub idle_timeout: Duration,
    /// A body may stand still this long, in either direction.
    pub body_timeout: Duration,
    /// An application must accept a connection within this time.
    pub connect_timeout: Duration,
    /// An application must begin its answer within this time.
    pub answer_timeout: Duration,
    /// A tunnel (websocket) may stand still this long.
    pub tunnel_timeout: Duration,
    /// Open requests are given this long to finish when the gateway stops.
    pub stop_timeout: Duration,
    /// Names of the identity headers.
    pub headers: HeaderNames,
}

impl Front {
    /// Connections at once from one address: unless it is set, so many that a network
    /// behind one address is served, and that no address takes all.
    pub(crate) fn connections_per_address(&self) -> usize {
        let usual = self.max_connections.saturating_mul(3) / 4;
        self.max_connections_per_address.unwrap_or(usual).max(1)
    }

    /// All addresses that are listened on.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        let tls_and_status = self.listen_tls.iter().chain(&self.listen_status);
        self.listen.iter().chain(tls_and_status).copied().collect()
    }
}

/// `server_ssl_key_file` and `server_ssl_cert_file`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CertificateFiles {
    /// PEM file with the private key.
    pub key: PathBuf,
    /// PEM file with certificate and chain; the key file itself where it holds both.
    pub certificate: PathBuf,
    /// Passphrase of the key, where it is encrypted.
    pub key_pass: Option<Secret>,
}

/// `server_ssl_ca_file`, `server_ssl_ca_path` and `crl_file` of `[core]`, or
/// `client_ssl_ca_file`, `client_ssl_ca_path` and `crl_file` of `[front]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AuthorityFiles {
    /// A PEM file with certificates of authorities.
    pub ca_file: Option<PathBuf>,
    /// A folder of such files.
    pub ca_path: Option<PathBuf>,
    /// A PEM file with the lists of revoked certificates: of every authority
    /// between a certificate and its root.
    pub crl_file: Option<PathBuf>,
}

/// `[front.headers]`: names under which the application is told who is there.
#[derive(Clone, Debug)]
pub(crate) struct HeaderNames {
    /// Login name (`Remote-User`).
    pub user: http::HeaderName,
    /// Full name (`Remote-Name`).
    pub name: http::HeaderName,
    /// Mail address (`Remote-Email`).
    pub email: http::HeaderName,
    /// Groups, comma separated (`Remote-Groups`).
    pub groups: http::HeaderName,
    /// Tenant (`Remote-Company`).
    pub company: http::HeaderName,
    /// Admin level 0, 1, 2 (`Remote-Admin`).
    pub admin: http::HeaderName,
    /// Mechanism (`Remote-Mechanism`).
    pub mechanism: http::HeaderName,
    /// Signed assertion (`Doorward-Assertion`).
    pub assertion: http::HeaderName,
}

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

/// `[sso]`
#[derive(Clone, Debug)]
pub(crate) struct Sso {
    /// Whether anybody may sign on at all.
    pub enable_sso: bool,
    /// What is offered, in this order.
    pub mechanisms: Vec<Mechanism>,
    /// Whether nobody wrote that list: NTLM is then offered only while it works.
    pub mechanisms_by_default: bool,
    /// Channel bindings.
    pub channel_binding: ChannelBinding,
    /// `[sso.kerberos]`
    pub kerberos: Kerberos,
    /// `[sso.ntlm]`
    pub ntlm: Ntlm,
}

/// `channel_binding` (RFC 5929 tls-server-end-point)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChannelBinding {
    /// Bindings are not looked at.
    Off,
    /// A binding that is sent must be right.
    Allow,
    /// A right binding must be sent; plain HTTP cannot sign on.
    Require,
}

/// `[sso.kerberos]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kerberos {
    /// The keytab.
    pub keytab: PathBuf,
    /// The one principal to accept for (`HTTP/host` or `HTTP/host@REALM`); `None`: any in the keytab.
    pub acceptor: Option<String>,
    /// Threads that do GSS work; each has a credential of its own.
    pub threads: usize,
    /// Tokens that may wait for a thread; further ones are answered 503.
    pub queue: usize,
    /// Which name of an account becomes the login.
    pub user_name: UserName,
    /// Whether computers may sign on.
    pub allow_computers: bool,
    /// Realms whose tickets are believed without a PAC.
    pub realms_without_pac: Vec<String>,
}

impl Kerberos {
    /// Whether a ticket of this realm is believed though it has no PAC.
    pub(crate) fn goes_without_pac(&self, realm: &str) -> bool {
        self.realms_without_pac.iter().any(|listed| listed.eq_ignore_ascii_case(realm))
    }
}

/// `sso.kerberos.user_name`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UserName {
    /// The SAM account name.
    Sam,
    /// The user principal name.
    Upn,
    /// The client's name in the ticket, where it is a name of the account.
    Principal,
}

/// `[sso.ntlm]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ntlm {
    /// Samba's `ntlm_auth`.
    pub ntlm_auth: PathBuf,
    /// Its further arguments.
    pub ntlm_auth_args: Vec<String>,
    /// What is spoken with it.
    pub helper_protocol: HelperProtocol,
    /// Whether answers for other services are refused.
    pub check_target_name: bool,
    /// How many of them are kept running.
    pub helpers: usize,
    /// Sign-ons that may wait for one; further ones are answered 503.
    pub queue: usize,
    /// A helper must answer within this time.
    pub helper_timeout: Duration,
    /// A client must answer its challenge within this time.
    pub exchange_timeout: Duration,
}

/// `sso.ntlm.helper_protocol`, as in ntlm_auth(1)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HelperProtocol {
    /// `ntlm-server-1`: the challenge is ours, and a helper is asked only to verify.
    NtlmServer1,
    /// `squid-2.5-ntlmssp`: a helper holds the exchange from its challenge to its verdict.
    Squid25Ntlmssp,
}

impl HelperProtocol {
    /// The word in configuration and on the helper's command line.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::NtlmServer1 => "ntlm-server-1",
            Self::Squid25Ntlmssp => "squid-2.5-ntlmssp",
        }
    }
}

/// `[[site]]`
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Which host names it serves.
    pub host: HostPattern,
    /// The path prefix it serves, on segment borders: begins with `/`, ends without one unless it is `/`.
    pub path: String,
    /// The application; `None`: only forward-auth and Doorward's own pages.
    pub upstream: Option<Uri>,
    /// Who may use it: any of these.
    pub require: Vec<Requirement>,
    /// What is offered here.
    pub mechanisms: Vec<Mechanism>,
    /// Whether nobody wrote that list, neither here nor in `[sso]`.
    pub mechanisms_by_default: bool,
    /// Channel bindings here.
    pub channel_binding: ChannelBinding,
    /// Whether `Authorization` headers of schemes that Doorward does not speak reach the application.
    pub pass_authorization: bool,
}

/// `site.host`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum HostPattern {
    /// `*`
    Any,
    /// `*.example.com`, held as `.example.com`, lower case.
    Suffix(String),
    /// One name, lower case.
    Exact(String),
}

/// `site.require`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// Whoever is signed on.
    ValidUser,
    /// `user:NAME`
    User(String),
    /// The same where `John` and `john` are two people in some realm.
    UserExactly(String),
    /// `group:NAME` or `group:S-1-5-…`
    Group(String),
    /// `company:NAME`
    Company(String),
    /// An administrator of any level.
    Admin,
}

/// As in the configuration.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValidUser => f.write_str("valid-user"),
            Self::User(name) | Self::UserExactly(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Company(name) => write!(f, "company:{name}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

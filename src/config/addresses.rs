//! Where things are: sockets, networks, hosts, paths, URLs, and the names of headers.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;

use http::uri::Authority;
use http::{HeaderName, Uri};
use ipnet::{IpNet, Ipv4Net};
use toml::Spanned;
use toml::de::DeValue;

use super::checked::{CoreAddress, HostPattern, RemoteCore};
use super::errors::{At, Notes};
use super::value::{FromToml, Given, QUOTES, Word, wrong_type};

/// Addresses to listen on: one, several, or (an empty text or list) none.
#[derive(Clone, Debug)]
pub(super) struct Addresses(pub(super) Vec<Given<SocketAddr>>);

/// A path prefix of a site: begins with `/`, ends without one unless it is `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SitePath(pub(super) String);

impl Word for SocketAddr {
    const TYPE: &'static str = "address:port";

    fn parse(text: &str) -> Result<Self, String> {
        text.parse().map_err(|_| {
            "is not an IP address and a port; write it as 127.0.0.1:8080, 0.0.0.0:8080 or [::1]:8080"
                .to_owned()
        })
    }
}

impl Word for IpNet {
    const TYPE: &'static str = "network";

    fn parse(text: &str) -> Result<Self, String> {
        let address = || text.parse::<IpAddr>().ok().map(Self::from);
        let network: Self = text.parse().ok().or_else(address).map(canonical).ok_or_else(|| {
            "is not a network; write it as 10.0.0.0/8, 192.0.2.7 or fd00::/8".to_owned()
        })?;
        if network.addr() != network.network() {
            let (alone, whole) = (Self::from(network.addr()), network.trunc());
            return Err(format!(
                "is one address of a network; write {alone} for that address alone, or {whole} for the whole network"
            ));
        }
        Ok(network)
    }
}

/// A network of IPv4 that is written in IPv6 (RFC 4291 section 2.5.5.2), as IPv4:
/// that is how peers are known.
fn canonical(network: IpNet) -> IpNet {
    let IpNet::V6(mapped) = network else { return network };
    let (Some(address), Some(bits)) =
        (mapped.addr().to_ipv4_mapped(), mapped.prefix_len().checked_sub(MAPPED_BITS))
    else {
        return network;
    };
    // At most 128 - 96 bits are left.
    Ipv4Net::new(address, bits).map_or(network, IpNet::V4)
}

impl Word for CoreAddress {
    const TYPE: &'static str = "socket address";

    /// Without what stands before an `@`: it may be a password.
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

impl FromToml for Addresses {
    fn type_name() -> String {
        "address:port, or list of them".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        match value.get_ref() {
            DeValue::String(text) if text.is_empty() => Some(Self(Vec::new())),
            DeValue::String(_) => {
                let address = SocketAddr::from_toml(value, at, notes)?;
                Some(Self(vec![Given { at: at.clone(), value: address }]))
            }
            DeValue::Array(_) => Vec::from_toml(value, at, notes).map(Self),
            _ => wrong_type::<Self>(value, QUOTES, at, notes),
        }
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

impl Word for HeaderName {
    const TYPE: &'static str = "header name";

    fn parse(text: &str) -> Result<Self, String> {
        let Ok(name) = Self::from_str(text) else {
            return Err("is not a header name; use letters, digits and hyphens".to_owned());
        };
        if RESERVED_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-") {
            return Err("is a standard header of HTTP; choose another name".to_owned());
        }
        Ok(name)
    }
}

impl Word for HostPattern {
    const TYPE: &'static str = "host pattern";

    fn parse(text: &str) -> Result<Self, String> {
        let lower = text.to_ascii_lowercase();
        if lower == "*" {
            return Ok(Self::Any);
        }
        let (name, suffix) = match lower.strip_prefix("*.") {
            Some(rest) => (rest, true),
            None => (lower.as_str(), false),
        };
        let name = name.strip_suffix('.').unwrap_or(name);
        let bracketed = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if !suffix && bracketed.is_some_and(|address| address.parse::<Ipv6Addr>().is_ok()) {
            return Ok(Self::Exact(name.to_owned()));
        }
        if !is_host_name(name) {
            return Err("is not a host name; write a name without port such as web.example.com, *.example.com, or *".to_owned());
        }
        Ok(if suffix { Self::Suffix(format!(".{name}")) } else { Self::Exact(name.to_owned()) })
    }
}

impl Word for SitePath {
    const TYPE: &'static str = "path";

    fn parse(text: &str) -> Result<Self, String> {
        if !text.starts_with('/') {
            return Err("does not begin with /; write it as /wiki".to_owned());
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@/".contains(&byte);
        if !text.bytes().all(plain) {
            return Err("contains a character that programs read in different ways; use letters, digits, / and -._~".to_owned());
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        if path.split('/').skip(1).any(|segment| matches!(segment, "" | "." | "..")) {
            return Err("contains an empty segment, or a segment of dots; remove it".to_owned());
        }
        if path.split('/').nth(1).is_some_and(|first| first.eq_ignore_ascii_case(".doorward")) {
            return Err("is reserved for Doorward; choose another path".to_owned());
        }
        Ok(Self(if path.is_empty() { "/".to_owned() } else { path.to_owned() }))
    }
}

impl Word for Uri {
    const TYPE: &'static str = "http:// URL";

    /// Without what stands before the `@`: it may be a password.
    fn shown(text: &str) -> String {
        format!("{:?}", text.rsplit('@').next().unwrap_or(text))
    }

    fn parse(text: &str) -> Result<Self, String> {
        let wrong =
            || "is not the URL of an application; write it as http://127.0.0.1:9001".to_owned();
        let uri = Self::from_str(text).map_err(|_| wrong())?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err("needs HTTPS to the application, which is not in this version of Doorward; use http://".to_owned());
            }
            _ => return Err(wrong()),
        }
        let Some(authority) = uri.authority() else { return Err(wrong()) };
        if authority.as_str().contains('@') {
            return Err("contains a user name; remove everything before the @".to_owned());
        }
        let host = authority.host();
        if !is_host_name(host) && !is_address(host) {
            return Err(wrong());
        }
        if port_of(authority, 80).is_none() {
            return Err("has an invalid port; write a number from 1 to 65535".to_owned());
        }
        if uri.path() != "/" || uri.query().is_some() || text.contains('#') {
            return Err("has a path; end it after host and port".to_owned());
        }
        Ok(uri)
    }
}

/// The port of an authority: `default` where none stands there, `None` where what
/// stands there is no port.
pub(crate) fn port_of(authority: &Authority, default: u16) -> Option<u16> {
    let text = authority.as_str();
    let place = text.rsplit_once('@').map_or(text, |(_, place)| place);
    match place.strip_prefix(authority.host())?.strip_prefix(':') {
        None => Some(default),
        Some(port) => port.parse().ok().filter(|port| *port != 0),
    }
}

fn is_address(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bracketed.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
}

/// Whether it is a name of dot-separated labels (RFC 1123 2.1, and underscores, which the wild has).
pub(super) fn is_host_name(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(label)
}

/// What stands before the address where IPv6 holds one of IPv4.
const MAPPED_BITS: u8 = 96;
/// The usual port of the core's TLS, since ZCP (server_ssl_port).
const CORE_PORT: u16 = 237;
/// `sun_path` of Linux, less its NUL (unix(7)).
const SOCKET_PATH_BYTES: usize = 107;

/// Headers that frame a message, route it, or carry credentials.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_of_ipv4_is_one_however_it_is_written() {
        for (text, network) in [
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:0:0/96", "0.0.0.0/0"),
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("::/0", "::/0"),
            ("fd00::/8", "fd00::/8"),
        ] {
            assert_eq!(IpNet::parse(text).map(|network| network.to_string()), Ok(network.into()));
        }
    }
}

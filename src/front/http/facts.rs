//! What is true of a request before anybody asks who sent it: host, path,
//! scheme and client address. Forwarding headers count only from trusted proxies.

use std::net::{IpAddr, SocketAddr};

use http::header::{HOST, HeaderName, ORIGIN, VIA};
use http::{HeaderMap, Method, Request, Version};
use ipnet::IpNet;

use super::route::host_of;
use crate::config::checked::Front;
use crate::front::connection::Connection;
use crate::front::upstream::is_forwarding;
use crate::wire::Reason;

/// `X-Forwarded-For`
pub const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `X-Forwarded-Proto`
pub const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The facts of a request.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Host name, lower case, without port.
    pub host: String,
    /// Path as it was sent, without query.
    pub path: String,
    /// The client's address: the nearest one that is not a trusted proxy.
    pub client: IpAddr,
    /// Whether the client's connection is TLS, here or at a trusted proxy.
    pub secure: bool,
    /// Whether a trusted proxy sent it: what it says about forwarding counts.
    pub trusted: bool,
    /// Whether its connection may carry many clients: a proxy sent it, listed or
    /// not. Nothing that is proven then may stay with the connection.
    pub shared: bool,
    /// Whether it came by HTTP/2, where several requests share a connection at once.
    pub http2: bool,
}

impl Facts {
    /// Reads the facts of a request.
    ///
    /// # Errors
    /// The host is doubled, is none, or contradicts the request's target; the
    /// method makes a tunnel of the gateway.
    pub fn read<B>(
        request: &Request<B>,
        connection: &Connection,
        front: &Front,
    ) -> Result<Self, Reason> {
        if request.method() == Method::CONNECT {
            return Err(Reason::MethodNotServed);
        }
        let trusted = connection.trusted;
        let headers = request.headers();
        Ok(Self {
            host: host(request)?,
            path: request.uri().path().to_owned(),
            client: if trusted {
                forwarded_client(headers, connection.peer, &front.trusted_proxies)
            } else {
                connection.peer
            },
            secure: connection.is_tls() || (trusted && forwarded_secure(headers)),
            trusted,
            shared: trusted || names_a_proxy(headers),
            http2: request.version() == Version::HTTP_2,
        })
    }
}

fn is_trusted(networks: &[IpNet], address: IpAddr) -> bool {
    networks.iter().any(|network| network.contains(&address))
}

/// Whether a proxy left its mark. One that nobody lists as trusted is not
/// believed; but it may send several clients' requests on one connection.
fn names_a_proxy(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| *name == VIA || is_forwarding(name.as_str()))
}

/// Whether a browser says that another site made it send the request. A
/// sibling under the same domain is another site, too: who may write pages
/// there is not asked.
pub fn from_another_site(headers: &HeaderMap, host: &str) -> bool {
    if let Some(site) = headers.get(SEC_FETCH_SITE) {
        return site != "same-origin" && site != "none";
    }
    headers.get(ORIGIN).is_some_and(|origin| {
        let origin = origin.to_str().unwrap_or_default();
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        host_of(authority).as_deref() != Ok(host)
    })
}

/// The one value of a header that may stand only once.
///
/// # Errors
/// [`Reason::ForwardedConflict`]: it stands twice, or is no text.
pub fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<Option<&'a str>, Reason> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            value.to_str().map(|text| Some(text.trim())).map_err(|_| Reason::ForwardedConflict)
        }
        (Some(_), Some(_)) => Err(Reason::ForwardedConflict),
    }
}

fn host<B>(request: &Request<B>) -> Result<String, Reason> {
    let header = single(request.headers(), &HOST)?;
    let header = header.map(host_of).transpose()?;
    let target = request.uri().authority().map(|name| host_of(name.as_str())).transpose()?;
    match (target, header) {
        (Some(target), Some(header)) if target != header => Err(Reason::ForwardedConflict),
        (Some(host), _) | (None, Some(host)) => Ok(host),
        (None, None) => Ok(String::new()),
    }
}

/// Proxies append: read from the right, the first address that is no trusted
/// proxy is the client; what stands left of it anybody may have written.
fn forwarded_client(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    for line in headers.get_all(X_FORWARDED_FOR).into_iter().rev() {
        for entry in line.to_str().unwrap_or_default().rsplit(',') {
            let Some(address) = parse_address(entry.trim()) else { return client };
            client = address;
            if !is_trusted(trusted, address) {
                return client;
            }
        }
    }
    client
}

fn parse_address(text: &str) -> Option<IpAddr> {
    text.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

fn forwarded_secure(headers: &HeaderMap) -> bool {
    matches!(single(headers, &X_FORWARDED_PROTO), Ok(Some(scheme)) if scheme.eq_ignore_ascii_case("https"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        lines.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect()
    }

    #[test]
    fn the_client_is_the_nearest_address_that_is_no_trusted_proxy() {
        let trusted = ["10.0.0.0/8".parse().unwrap()];
        let peer: IpAddr = "10.0.0.1".parse().unwrap();
        for (lines, client) in [
            (vec![], "10.0.0.1"),
            (vec!["192.0.2.7"], "192.0.2.7"),
            (vec!["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
            (vec!["192.0.2.7, 10.0.0.9"], "192.0.2.7"),
            (vec!["203.0.113.9", "192.0.2.7"], "192.0.2.7"),
            (vec!["nonsense, 10.0.0.9"], "10.0.0.9"),
            (vec!["[2001:db8::1]:443"], "2001:db8::1"),
            (vec!["10.0.0.2"], "10.0.0.2"),
        ] {
            let lines: Vec<_> = lines.into_iter().map(|line| (X_FORWARDED_FOR, line)).collect();
            let found = forwarded_client(&headers(&lines), peer, &trusted);
            assert_eq!(found.to_string(), client, "{lines:?}");
        }
    }

    #[test]
    fn a_target_that_contradicts_the_host_header_is_refused() {
        let request = |target: &str, hosts: &[&str]| {
            let mut request = Request::builder().uri(target);
            for name in hosts {
                request = request.header(HOST, *name);
            }
            host(&request.body(()).unwrap())
        };
        assert_eq!(request("http://a.example/", &["a.example:80"]), Ok("a.example".into()));
        assert_eq!(request("http://a.example/", &["b.example"]), Err(Reason::ForwardedConflict));
        assert_eq!(request("/", &["a.example", "b.example"]), Err(Reason::ForwardedConflict));
        assert_eq!(request("/", &["A.example"]), Ok("a.example".into()));
        assert_eq!(request("http://x@a.example/", &[]), Err(Reason::OddHost));
    }

    #[test]
    fn a_browser_tells_that_another_site_is_behind_a_request() {
        for (name, value, foreign) in [
            (SEC_FETCH_SITE, "cross-site", true),
            (SEC_FETCH_SITE, "same-site", true),
            (SEC_FETCH_SITE, "same-origin", false),
            (SEC_FETCH_SITE, "none", false),
            (ORIGIN, "https://evil.example", true),
            (ORIGIN, "https://web.example:8443", false),
            (ORIGIN, "null", true),
        ] {
            let headers = headers(&[(name.clone(), value)]);
            assert_eq!(from_another_site(&headers, "web.example"), foreign, "{name}: {value}");
        }
    }
}

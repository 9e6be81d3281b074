//! What is true of a request before anybody asks who sent it: host, path, scheme and client
//! address. Forwarding headers are believed only from trusted proxies.

use std::net::{IpAddr, SocketAddr};

use http::header::{ACCEPT, FORWARDED, HOST, HeaderName, ORIGIN, VIA};
use http::{HeaderMap, Method, Request, Version};
use ipnet::IpNet;

use super::route::host_of;
use crate::config::section::Front;
use crate::front::connection::Connection;
use crate::front::request::cookie::Origin;
use crate::front::request::header_names::is_forwarding;
use crate::wire::Reason;

/// `X-Forwarded-For`
pub(in crate::front) const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
/// `X-Forwarded-Host`
pub(in crate::front) const X_FORWARDED_HOST: HeaderName =
    HeaderName::from_static("x-forwarded-host");
/// `X-Forwarded-Proto`
pub(in crate::front) const X_FORWARDED_PROTO: HeaderName =
    HeaderName::from_static("x-forwarded-proto");
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The facts of a request.
#[derive(Clone, Debug)]
pub(in crate::front) struct Facts {
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
    /// not, or an earlier request on it. Nothing that is proven then may stay with the connection.
    pub shared: bool,
    /// Whether it came by HTTP/2, where several requests share a connection at once.
    pub http2: bool,
}

impl Facts {
    /// Reads the facts of a request.
    ///
    /// # Errors
    /// The host is doubled, missing, none, or contradicts the request's target; the
    /// method makes a tunnel of the gateway.
    pub(in crate::front) fn read<B>(
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
            shared: trusted || connection.sign_on.is_shared() || names_a_proxy(headers),
            http2: request.version() == Version::HTTP_2,
        })
    }

    /// What cookies are for here.
    pub(in crate::front) fn origin(&self) -> Origin<'_> {
        Origin { host: &self.host, secure: self.secure }
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
pub(in crate::front) fn from_another_site(headers: &HeaderMap, host: &str) -> bool {
    if headers.contains_key(SEC_FETCH_SITE) {
        let mut sites = headers.get_all(SEC_FETCH_SITE).into_iter();
        return sites.any(|site| site != "same-origin" && site != "none");
    }
    headers.get_all(ORIGIN).into_iter().any(|origin| {
        let Ok(origin) = str::from_utf8(origin.as_bytes()) else { return true };
        let authority = origin.split_once("://").map_or(origin, |(_, authority)| authority);
        host_of(authority).as_deref() != Ok(host)
    })
}

/// Whether a person is to read the answer.
pub(in crate::front) fn wants_page(headers: &HeaderMap) -> bool {
    headers.get_all(ACCEPT).into_iter().any(|accept| {
        let wanted = b"text/html";
        accept.as_bytes().windows(wanted.len()).any(|part| part.eq_ignore_ascii_case(wanted))
    })
}

/// The one value of a header that may stand only once.
///
/// # Errors
/// [`Reason::ForwardedConflict`]: it stands twice.
pub(in crate::front) fn single<'a>(
    headers: &'a HeaderMap,
    name: &HeaderName,
) -> Result<Option<&'a [u8]>, Reason> {
    let mut values = headers.get_all(name).into_iter();
    match (values.next(), values.next()) {
        (value, None) => Ok(value.map(|value| value.as_bytes().trim_ascii())),
        (_, Some(_)) => Err(Reason::ForwardedConflict),
    }
}

/// What the nearest proxy says: proxies append, so the last of a list.
pub(in crate::front) fn nearest<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    entries(headers, name).next()
}

/// The entries of a list, the last one first.
fn entries<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(name).into_iter().rev();
    lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// All hosts that forwarding headers name: applications do not agree on which one counts.
///
/// # Errors
/// [`Reason::OddHost`]: one of them is none.
pub(in crate::front) fn forwarded_hosts(headers: &HeaderMap) -> Result<Vec<String>, Reason> {
    let pairs = headers.get_all(FORWARDED).into_iter().flat_map(|line| {
        line.as_bytes().split(|byte| matches!(byte, b',' | b';')).filter_map(|pair| {
            let (name, value) = pair.trim_ascii().split_at_checked(5)?;
            let value = name.eq_ignore_ascii_case(b"host=").then(|| value.trim_ascii())?;
            Some(
                value
                    .strip_prefix(b"\"")
                    .and_then(|value| value.strip_suffix(b"\""))
                    .unwrap_or(value),
            )
        })
    });
    entries(headers, &X_FORWARDED_HOST).chain(pairs).map(host_in).collect()
}

/// The host of an authority, as [`host_of`] reads it.
///
/// # Errors
/// [`Reason::OddHost`], also where it is no text.
pub(in crate::front) fn host_in(authority: &[u8]) -> Result<String, Reason> {
    str::from_utf8(authority).map_err(|_| Reason::OddHost).and_then(host_of)
}

/// Only HTTP/1.0 knows requests without a host (RFC 9112 section 3.2, RFC 9113
/// section 8.3.1).
fn host<B>(request: &Request<B>) -> Result<String, Reason> {
    let header = single(request.headers(), &HOST)?.map(host_in).transpose()?;
    let target = request.uri().authority().map(|name| host_of(name.as_str())).transpose()?;
    let may_lack = request.version() < Version::HTTP_11;
    let must_have_header = request.version() == Version::HTTP_11;
    let host = match (target, header) {
        (_, None) if must_have_header => return Err(Reason::HostMissing),
        (Some(target), Some(header)) if target != header => return Err(Reason::ForwardedConflict),
        (Some(host), _) | (None, Some(host)) => host,
        (None, None) => String::new(),
    };
    if host.is_empty() && !may_lack { Err(Reason::HostMissing) } else { Ok(host) }
}

/// Proxies append: read from the right, the first address that is no trusted
/// proxy is the client; what stands left of it anybody may have written.
fn forwarded_client(headers: &HeaderMap, peer: IpAddr, trusted: &[IpNet]) -> IpAddr {
    let mut client = peer;
    for entry in entries(headers, &X_FORWARDED_FOR) {
        let Some(address) = parse_address(entry) else { return client };
        client = address;
        if !is_trusted(trusted, address) {
            return client;
        }
    }
    client
}

fn parse_address(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    text.parse::<IpAddr>()
        .or_else(|_| text.parse::<SocketAddr>().map(|address| address.ip()))
        .ok()
        .map(|address| address.to_canonical())
}

/// Whether the client came by TLS, as the nearest proxy says. Some of them call
/// the scheme of a websocket by its own name.
fn forwarded_secure(headers: &HeaderMap) -> bool {
    let scheme = nearest(headers, &X_FORWARDED_PROTO).or_else(|| forwarded_proto(headers));
    scheme.is_some_and(|scheme| {
        scheme.eq_ignore_ascii_case(b"https") || scheme.eq_ignore_ascii_case(b"wss")
    })
}

/// `proto` of the last element of `Forwarded` (RFC 7239 section 5.4); `None` also
/// where a quotation has no end, and nobody knows whose word is whose.
fn forwarded_proto(headers: &HeaderMap) -> Option<&[u8]> {
    let line = headers.get_all(FORWARDED).into_iter().next_back()?.as_bytes();
    let (mut quoted, mut escaped) = (false, false);
    let (mut proto, mut begins) = (None, 0);
    for (at, byte) in line.iter().chain(b",").enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = quoted,
            b'"' => quoted = !quoted,
            b';' | b',' if !quoted => {
                proto = proto_in(&line[begins..at]).or(proto);
                begins = at + 1;
                if *byte == b',' && at < line.len() {
                    proto = None;
                }
            }
            _ => {}
        }
    }
    proto.filter(|_| !quoted)
}

fn proto_in(pair: &[u8]) -> Option<&[u8]> {
    let at = pair.iter().position(|byte| *byte == b'=')?;
    let (name, value) = (pair[..at].trim_ascii(), pair[at + 1..].trim_ascii());
    let unquoted = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    name.eq_ignore_ascii_case(b"proto").then_some(unquoted.unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let value = |value: &str| http::HeaderValue::from_bytes(&latin(value)).unwrap();
        lines.iter().map(|(name, text)| (name.clone(), value(text))).collect()
    }

    /// One byte for each character.
    fn latin(text: &str) -> Vec<u8> {
        text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
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
            (vec!["::ffff:192.0.2.7"], "192.0.2.7"),
            (vec!["J\u{f6}rg, 192.0.2.7"], "192.0.2.7"),
            (vec!["192.0.2.7, J\u{f6}rg, 10.0.0.9"], "10.0.0.9"),
            (vec!["10.0.0.2"], "10.0.0.2"),
        ] {
            let lines: Vec<_> = lines.into_iter().map(|line| (X_FORWARDED_FOR, line)).collect();
            let found = forwarded_client(&headers(&lines), peer, &trusted);
            assert_eq!(found.to_string(), client, "{lines:?}");
        }
    }

    #[test]
    fn the_nearest_proxy_says_whether_the_client_came_by_tls() {
        for (lines, secure) in [
            (vec![], false),
            (vec![(X_FORWARDED_PROTO, "https")], true),
            (vec![(X_FORWARDED_PROTO, "HTTPS")], true),
            (vec![(X_FORWARDED_PROTO, "wss")], true),
            (vec![(X_FORWARDED_PROTO, "ws")], false),
            (vec![(X_FORWARDED_PROTO, "https, https")], true),
            (vec![(X_FORWARDED_PROTO, "https, http")], false),
            (vec![(X_FORWARDED_PROTO, "http,https")], true),
            (vec![(X_FORWARDED_PROTO, "http"), (X_FORWARDED_PROTO, "https")], true),
            (vec![(X_FORWARDED_PROTO, "\u{e9}, https")], true),
            (vec![(FORWARDED, "for=192.0.2.7;proto=https")], true),
            (vec![(FORWARDED, "proto=http, for=\"[::1]\"; Proto = \"https\"")], true),
            (vec![(FORWARDED, "proto=https, for=\"a,proto=https\"")], false),
            (vec![(X_FORWARDED_PROTO, "http"), (FORWARDED, "proto=https")], false),
            (vec![(FORWARDED, "host=\"a;proto=https;b\";proto=http")], false),
            (vec![(FORWARDED, "proto=https;for=\"x, for=a;proto=http")], false),
            (vec![(FORWARDED, "proto=https;for=\"x\\\", for=\"a\";proto=http")], false),
        ] {
            assert_eq!(forwarded_secure(&headers(&lines)), secure, "{lines:?}");
        }
    }

    #[test]
    fn every_host_that_a_proxy_names_is_read() {
        let lines = headers(&[
            (X_FORWARDED_HOST, "A.example:80, b.example"),
            (X_FORWARDED_HOST, "c.example."),
            (FORWARDED, "for=192.0.2.7; Host=\"d.example:443\", host=e.example;proto=https"),
        ]);
        let mut found = forwarded_hosts(&lines).unwrap();
        found.sort_unstable();
        assert_eq!(found, ["a.example", "b.example", "c.example", "d.example", "e.example"]);
        let odd = headers(&[(X_FORWARDED_HOST, "a.example/b")]);
        assert_eq!(forwarded_hosts(&odd), Err(Reason::OddHost));
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
        assert_eq!(request("http://a.example/", &[]), Err(Reason::HostMissing));
        assert_eq!(request("/", &[]), Err(Reason::HostMissing));
        assert_eq!(request("/", &[""]), Err(Reason::HostMissing));
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
            (ORIGIN, "https://web.example\u{e9}", true),
        ] {
            let headers = headers(&[(name.clone(), value)]);
            assert_eq!(from_another_site(&headers, "web.example"), foreign, "{name}: {value}");
        }
    }
}

//! `X-Forwarded-*` and `Forwarded` (RFC 7239): values from a trusted proxy are passed on with one
//! more hop, all others are replaced.

use std::net::IpAddr;

use bytes::Bytes;
use http::header::{FORWARDED, HOST, HeaderMap, HeaderName, HeaderValue};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");

/// Who sits at the other end of a connection, as applications are told. Made
/// once per connection: its values are shared, not written anew.
#[derive(Clone, Debug)]
pub(in crate::front) struct Client {
    address: HeaderValue,
    scheme: HeaderValue,
    trusted: bool,
}

impl Client {
    /// `address` is the peer's, `tls` whether its connection is TLS here, and
    /// `trusted` whether it is in `trusted_proxies`.
    pub(in crate::front) fn new(address: IpAddr, tls: bool, trusted: bool) -> Self {
        let text = address.to_canonical().to_string();
        // An address is letters, digits, dots and colons.
        let address = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static("unknown"));
        let scheme = HeaderValue::from_static(if tls { "https" } else { "http" });
        Self { address, scheme, trusted }
    }

    /// Whether what the client says about forwarding counts.
    pub(in crate::front) const fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Tells the application who sent the request; expects that forwarding
    /// headers of untrusted clients are gone already, and that `Host` is right.
    pub(in crate::front) fn announce(&self, headers: &mut HeaderMap) {
        let host = headers.get(HOST).cloned();
        if self.trusted {
            let hops = append(headers, &X_FORWARDED_FOR, self.address.as_bytes());
            headers.insert(X_FORWARDED_FOR, hops.unwrap_or_else(|| self.address.clone()));
            headers.entry(X_FORWARDED_PROTO).or_insert_with(|| self.scheme.clone());
            if headers.contains_key(FORWARDED)
                && let Some(hops) = append(headers, &FORWARDED, &self.element(host.as_ref()))
            {
                headers.insert(FORWARDED, hops);
            }
        } else {
            headers.insert(X_FORWARDED_FOR, self.address.clone());
            headers.insert(X_FORWARDED_PROTO, self.scheme.clone());
        }
        if let Some(host) = host {
            headers.entry(X_FORWARDED_HOST).or_insert(host);
        }
    }

    /// One hop as RFC 7239 section 4 writes it.
    fn element(&self, host: Option<&HeaderValue>) -> Vec<u8> {
        let address = self.address.as_bytes();
        let mut element = Vec::from(b"for=");
        if address.contains(&b':') {
            element.extend([b"\"[", address, b"]\""].concat());
        } else {
            element.extend(address);
        }
        // Only a host that needs no escapes inside the quotes is passed on.
        if let Some(host) = host.map(HeaderValue::as_bytes)
            && !host.iter().any(|byte| matches!(byte, b'"' | b'\\'))
        {
            element.extend([b";host=\"", host, b"\""].concat());
        }
        element.extend([b";proto=", self.scheme.as_bytes()].concat());
        element
    }
}

/// All lines of a header and one value more, as one line; `None` when there was none.
fn append(headers: &HeaderMap, name: &HeaderName, more: &[u8]) -> Option<HeaderValue> {
    let mut line = Vec::new();
    for value in headers.get_all(name).into_iter().filter(|value| !value.is_empty()) {
        line.extend_from_slice(value.as_bytes());
        line.extend_from_slice(b", ");
    }
    if line.is_empty() {
        return None;
    }
    line.extend_from_slice(more);
    HeaderValue::from_maybe_shared(Bytes::from(line)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(lines: &[(HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static("web.example:8443"));
        for (name, value) in lines {
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        headers
    }

    fn client(address: &str, tls: bool, trusted: bool) -> Client {
        Client::new(address.parse().unwrap(), tls, trusted)
    }

    #[test]
    fn a_client_is_announced_with_address_scheme_and_host() {
        let mut headers = request(&[]);
        client("::ffff:192.0.2.7", true, false).announce(&mut headers);
        assert_eq!(headers[X_FORWARDED_FOR], "192.0.2.7");
        assert_eq!(headers[X_FORWARDED_PROTO], "https");
        assert_eq!(headers[X_FORWARDED_HOST], "web.example:8443");
        assert!(!headers.contains_key(FORWARDED));
    }

    #[test]
    fn what_a_trusted_proxy_says_is_carried_on_with_one_more_hop() {
        let mut headers = request(&[
            (X_FORWARDED_FOR, "203.0.113.9"),
            (X_FORWARDED_FOR, "192.0.2.7"),
            (X_FORWARDED_PROTO, "https"),
            (X_FORWARDED_HOST, "public.example"),
            (FORWARDED, "for=203.0.113.9"),
        ]);
        client("2001:db8::1", false, true).announce(&mut headers);
        assert_eq!(headers[X_FORWARDED_FOR], "203.0.113.9, 192.0.2.7, 2001:db8::1");
        assert_eq!(headers.get_all(X_FORWARDED_FOR).iter().count(), 1);
        assert_eq!(headers[X_FORWARDED_PROTO], "https");
        assert_eq!(headers[X_FORWARDED_HOST], "public.example");
        assert_eq!(
            headers[FORWARDED],
            "for=203.0.113.9, for=\"[2001:db8::1]\";host=\"web.example:8443\";proto=http"
        );
    }

    #[test]
    fn a_host_that_would_break_out_of_its_quotes_is_not_written() {
        let mut headers = request(&[(FORWARDED, "for=203.0.113.9")]);
        headers.insert(HOST, HeaderValue::from_static("a\";for=\"10.0.0.1"));
        client("192.0.2.7", true, true).announce(&mut headers);
        assert_eq!(headers[FORWARDED], "for=203.0.113.9, for=192.0.2.7;proto=https");
    }
}

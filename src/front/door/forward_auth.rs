//! `/.doorward/auth`: another proxy asks whether a request may pass.
//!
//! Four kinds of proxy describe the original request in four ways. They also pass on the client's
//! headers, so a forged header of another kind can be beside the true one: if two disagree,
//! neither is believed.

use http::header::{HOST, HeaderName};
use http::{HeaderMap, Response, Uri};

use crate::front::answer::Answerer;
use crate::front::answer::body::Body;
use crate::front::request::facts::{Facts, X_FORWARDED_HOST, host_in, nearest, single};
use crate::front::request::route::{self, host_of};
use crate::front::sign_on::policy::Policy;
use crate::front::sign_on::{Refusal, RequestContext};
use crate::wire::Reason;

const PREFIX: &str = "/.doorward/auth";
const X_ORIGINAL_URI: HeaderName = HeaderName::from_static("x-original-uri");
const X_ORIGINAL_URL: HeaderName = HeaderName::from_static("x-original-url");
const X_ORIGINAL_METHOD: HeaderName = HeaderName::from_static("x-original-method");
const X_FORWARDED_URI: HeaderName = HeaderName::from_static("x-forwarded-uri");
const X_FORWARDED_METHOD: HeaderName = HeaderName::from_static("x-forwarded-method");
/// By this a proxy asks which of the request's cookies the application may see. No
/// script in a browser can send a header of this kind: it would read by it what is
/// kept from scripts (HttpOnly).
const SEC_DOORWARD_COOKIES: HeaderName = HeaderName::from_static("sec-doorward-cookies");

/// The request that another proxy asks about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::front) struct Original {
    /// Host, lower case, without port.
    pub host: String,
    /// Path without query; `None` when the proxy does not tell it.
    pub path: Option<String>,
}

/// Answers 200 with identity headers, 401 with challenges, or 403.
pub(in crate::front) async fn auth(
    context: RequestContext<'_>,
    uri: &Uri,
    answerer: &Answerer<'_>,
) -> Response<Body> {
    let RequestContext { live, headers, facts, .. } = context;
    let original = match original(uri, headers, facts.trusted) {
        Ok(original) => original,
        Err(reason) => return answerer.refuse(&Refusal::new(reason), None),
    };
    let Original { host, path } = original;
    if path.is_none() && route::depends_on_path(&live.settings.sites, &host) {
        let detail = "the proxy sends no path, but the host has sites with several paths: let it send X-Original-URI or X-Forwarded-Uri";
        let refusal = Refusal::new(Reason::AmbiguousPath).with_detail(detail);
        return answerer.refuse(&refusal, None);
    }
    let path = path.unwrap_or_else(|| "/".to_owned());
    let facts = Facts { host, path, ..facts.clone() };
    let site = match route::site(&live.settings.sites, &facts.host, &facts.path) {
        Ok(Some(site)) => site,
        Ok(None) => return answerer.refuse(&Refusal::new(Reason::NoSite), None),
        Err(reason) => return answerer.refuse(&Refusal::new(reason), None),
    };
    // What asks is a proxy, whether it is trusted or not: nothing that is
    // proven here may stay with its connection.
    let asked = Facts { shared: true, ..facts };
    let answerer = answerer.with(&asked);
    let policy = Policy::of(live, site).without_connection();
    match super::site::enter(RequestContext { facts: &asked, ..context }, site, &policy).await {
        Ok(signed_on) => {
            let wants_cookies = asked.trusted && headers.contains_key(SEC_DOORWARD_COOKIES);
            let cookies = wants_cookies.then(|| live.proxy.rules().passable_cookies(headers));
            let audience = route::audience(site, &asked.host);
            answerer.may_pass(&signed_on, live, &audience, cookies.flatten())
        }
        Err(no) => answerer.no_entry(&no, policy),
    }
}

/// Reads what the original request was, from the headers of nginx
/// (`X-Original-URI`, `X-Original-URL`), Traefik and Caddy (`X-Forwarded-*`)
/// and the path of Envoy (appended to ours).
///
/// # Errors
/// The headers come from a peer that is not trusted, stand twice, are no
/// text, contradict one another, or can be read in two ways.
pub(in crate::front) fn original(
    uri: &Uri,
    headers: &HeaderMap,
    trusted: bool,
) -> Result<Original, Reason> {
    let appended = uri.path().strip_prefix(PREFIX).filter(|rest| !rest.is_empty());
    let appended = appended.map(str::as_bytes);
    let original_uri = single(headers, &X_ORIGINAL_URI)?;
    let original_url = single(headers, &X_ORIGINAL_URL)?;
    let forwarded_uri = single(headers, &X_FORWARDED_URI)?;
    let forwarded_host = nearest(headers, &X_FORWARDED_HOST);
    let original_method = single(headers, &X_ORIGINAL_METHOD)?;
    let forwarded_method = single(headers, &X_FORWARDED_METHOD)?;
    let claimed = [original_uri, original_url, forwarded_uri, appended, forwarded_host];
    if !trusted && claimed.iter().any(Option::is_some) {
        return Err(Reason::UntrustedProxy);
    }
    agreed([original_method, forwarded_method].into_iter().flatten())?;
    let (url_host, url_path) = original_url.map(split_url).unzip();
    let own_host = match uri.authority() {
        Some(authority) => Some(host_of(authority.as_str())?),
        None => single(headers, &HOST)?.map(host_in).transpose()?,
    };
    let paths = [original_uri, forwarded_uri, appended, url_path]
        .into_iter()
        .flatten()
        .map(path_in)
        .collect::<Result<Vec<_>, Reason>>()?;
    let named_hosts = [forwarded_host, url_host.flatten()]
        .into_iter()
        .flatten()
        .map(host_in)
        .collect::<Result<Vec<_>, Reason>>()?;
    let named_host = agreed(named_hosts.into_iter())?;
    // nginx and Envoy pass the original Host on; Traefik and Caddy ask under
    // the gateway's own name and put the original one into X-Forwarded-Host.
    let keeps_host = original_uri.is_some() || appended.is_some();
    let host = match (named_host, own_host) {
        (Some(named), Some(own)) if keeps_host && named != own => {
            return Err(Reason::ForwardedConflict);
        }
        (Some(named), _) => named,
        (None, own) => own.unwrap_or_default(),
    };
    let path = agreed(paths.into_iter())?;
    Ok(Original { host, path })
}

/// The authority of a URL, and what follows it.
fn split_url(url: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let marks = b"://";
    let at = url.windows(marks.len()).position(|part| part == marks);
    match at.filter(|at| url[..*at].iter().all(u8::is_ascii_alphanumeric)) {
        Some(at) => {
            let rest = &url[at + marks.len()..];
            let end = rest.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(rest.len());
            let (authority, path) = rest.split_at(end);
            (Some(authority), if path.starts_with(b"/") { path } else { b"/" })
        }
        None => (None, url),
    }
}

/// The path of what a proxy tells, without its query. Whatever nginx and Apache
/// take is taken, also what a URL should have percent-encoded; bytes beyond ASCII
/// are encoded here. Some programs end a path at a `#`, some do not.
fn path_in(target: &[u8]) -> Result<String, Reason> {
    if target.iter().any(|byte| byte.is_ascii_control() || *byte == b' ') {
        return Err(Reason::OddPath);
    }
    let end = target.iter().position(|byte| *byte == b'?').unwrap_or(target.len());
    let path = &target[..end];
    if !path.starts_with(b"/") || path.contains(&b'#') {
        return Err(Reason::AmbiguousPath);
    }
    let mut text = String::with_capacity(path.len());
    for byte in path {
        if byte.is_ascii() {
            text.push(char::from(*byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    Ok(text)
}

fn agreed<T: PartialEq>(mut values: impl Iterator<Item = T>) -> Result<Option<T>, Reason> {
    let Some(first) = values.next() else { return Ok(None) };
    if values.all(|other| other == first) {
        Ok(Some(first))
    } else {
        Err(Reason::ForwardedConflict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<(String, Option<String>), Reason>;

    fn read(path: &str, lines: &[(&str, &str)], trusted: bool) -> Read {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            let value = http::HeaderValue::from_bytes(&latin(value)).unwrap();
            headers.append(name.parse::<HeaderName>().unwrap(), value);
        }
        original(&path.parse().unwrap(), &headers, trusted).map(|o| (o.host, o.path))
    }

    /// One byte for each character.
    fn latin(text: &str) -> Vec<u8> {
        text.chars().map(|character| u8::try_from(u32::from(character)).unwrap()).collect()
    }

    #[test]
    fn paths_are_taken_as_nginx_and_apache_take_them() {
        for (told, path) in [
            ("/caf\u{c3}\u{a9}", "/caf%C3%A9"),
            ("/caf\u{e9}", "/caf%E9"),
            ("/s?q=<b>", "/s"),
            ("/s?q={\"a\":1}", "/s"),
            ("/a?x=1#y", "/a"),
            ("/<\"{`^|}>", "/<\"{`^|}>"),
            ("//a//b", "//a//b"),
        ] {
            let lines = [("host", "web.example"), ("x-original-uri", told)];
            let expected = Ok(("web.example".to_owned(), Some(path.to_owned())));
            assert_eq!(read("/.doorward/auth", &lines, true), expected, "{told}");
        }
        for told in ["/a b", "/a\tb"] {
            let lines = [("host", "web.example"), ("x-original-uri", told)];
            assert_eq!(read("/.doorward/auth", &lines, true), Err(Reason::OddPath), "{told}");
        }
    }

    #[test]
    fn of_a_list_of_hosts_the_nearest_proxy_s_counts() {
        for told in ["a.example, web.example", "web.example,web.example:443 "] {
            let lines = [("host", "gate"), ("x-forwarded-host", told), ("x-forwarded-uri", "/")];
            let expected = Ok(("web.example".to_owned(), Some("/".to_owned())));
            assert_eq!(read("/.doorward/auth", &lines, true), expected, "{told}");
        }
    }

    #[test]
    fn each_kind_of_proxy_is_understood() {
        let web = |path: &str| Ok(("web.example".to_owned(), Some(path.to_owned())));
        let nginx =
            [("host", "web.example"), ("x-original-uri", "/a?q"), ("x-original-method", "GET")];
        assert_eq!(read("/.doorward/auth", &nginx, true), web("/a"));
        let authelia = [("host", "gate"), ("x-original-url", "https://web.example/a?q")];
        assert_eq!(read("/.doorward/auth", &authelia, true), web("/a"));
        let traefik = [
            ("host", "gate"),
            ("x-forwarded-method", "POST"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "web.example:443"),
            ("x-forwarded-uri", "/a?q"),
        ];
        assert_eq!(read("/.doorward/auth", &traefik, true), web("/a"));
        assert_eq!(read("/.doorward/auth/a?q", &[("host", "web.example")], true), web("/a"));
        assert_eq!(
            read("/.doorward/auth", &[("host", "web.example")], false),
            Ok(("web.example".to_owned(), None))
        );
    }

    #[test]
    fn a_forged_header_of_another_kind_ends_in_a_conflict() {
        let conflict = Err(Reason::ForwardedConflict);
        let nginx = [("host", "web.example"), ("x-original-uri", "/admin")];
        let with = |more: &[(&'static str, &'static str)]| [nginx.as_slice(), more].concat();
        for forged in [
            ("x-forwarded-uri", "/public"),
            ("x-original-url", "https://web.example/public"),
            ("x-forwarded-host", "other.example"),
            ("x-original-uri", "/public"),
        ] {
            assert_eq!(read("/.doorward/auth", &with(&[forged]), true), conflict, "{forged:?}");
        }
        let methods = with(&[("x-original-method", "GET"), ("x-forwarded-method", "POST")]);
        assert_eq!(read("/.doorward/auth", &methods, true), conflict);
        let envoy = [("host", "web.example"), ("x-forwarded-uri", "/public")];
        assert_eq!(read("/.doorward/auth/admin", &envoy, true), conflict);
    }

    #[test]
    fn a_path_that_programs_end_at_different_places_is_refused() {
        for path in ["/public#/../admin", "/admin#", "admin", "*"] {
            let lines = [("host", "web.example"), ("x-original-uri", path)];
            assert_eq!(read("/.doorward/auth", &lines, true), Err(Reason::AmbiguousPath), "{path}");
        }
    }

    #[test]
    fn nobody_but_a_trusted_proxy_may_speak_for_a_client() {
        for line in
            [("x-original-uri", "/"), ("x-forwarded-uri", "/"), ("x-forwarded-host", "web.example")]
        {
            let lines = [("host", "web.example"), line];
            assert_eq!(read("/.doorward/auth", &lines, false), Err(Reason::UntrustedProxy));
        }
        assert_eq!(read("/.doorward/auth/x", &[("host", "a")], false), Err(Reason::UntrustedProxy));
    }
}

//! Which site a request is for. The path is matched in every way that an application might read
//! it. If the readings lead to different sites, the request is refused.

use std::borrow::Cow;

use super::reading::{fold, readings};
use crate::config::section::{HostPattern, Site};
use crate::wire::Reason;

/// Whether a host that a trusted proxy names beside `Host` leads to another site than
/// that. The application may believe it, though it was not asked about here: proxies
/// pass on what their clients wrote.
pub(in crate::front) fn is_contradicted(
    sites: &[Site],
    found: &Site,
    path: &str,
    hosts: &[String],
) -> bool {
    hosts.iter().any(|host| match site(sites, host, path) {
        Ok(other) => other.is_some_and(|other| !std::ptr::eq(other, found)),
        Err(_) => true,
    })
}

/// Finds the site for a host (lower case, no port) and a request path; `sites`
/// stand the most specific first.
/// `Ok(None)`: no site is configured for it.
///
/// # Errors
/// [`Reason::AmbiguousPath`]: the path leads to different sites, depending on
/// who decodes it. [`Reason::OddPath`]: it hides a control character.
pub(in crate::front) fn site<'a>(
    sites: &'a [Site],
    host: &str,
    path: &str,
) -> Result<Option<&'a Site>, Reason> {
    let candidates: Vec<&Site> = of_host(sites, host).collect();
    if let Some(only) = candidates.first()
        && only.path == "/"
    {
        return Ok(Some(only));
    }
    let found = candidates.iter().copied().find(|site| below(&site.path, path));
    for reading in readings(path)? {
        let folded = fold(&reading);
        let exact = candidates.iter().copied().find(|site| below(&site.path, &reading));
        let caseless = candidates.iter().copied().find(|site| below(&fold(&site.path), &folded));
        if !same(found, exact) || !same(found, caseless) {
            return Err(Reason::AmbiguousPath);
        }
    }
    Ok(found)
}

/// The sites of a host, the most specific first.
pub(in crate::front) fn of_host<'a>(
    sites: &'a [Site],
    host: &str,
) -> impl Iterator<Item = &'a Site> {
    sites.iter().filter(move |site| host_matches(&site.host, host))
}

/// Whom an assertion for a site is for: applications that share a host by path do
/// not share assertions.
pub(in crate::front) fn audience<'a>(site: &Site, host: &'a str) -> Cow<'a, str> {
    match site.path.as_str() {
        "/" => Cow::Borrowed(host),
        path => Cow::Owned(format!("{host}{path}")),
    }
}

/// Whether it takes a path to find the site for a host.
pub(in crate::front) fn depends_on_path(sites: &[Site], host: &str) -> bool {
    of_host(sites, host).next().is_some_and(|nearest| nearest.path != "/")
}

/// The sites that a request for a host can lead to.
pub(in crate::front) fn reachable<'a>(
    sites: &'a [Site],
    host: &str,
) -> impl Iterator<Item = &'a Site> {
    let mut behind = false;
    sites.iter().filter(move |site| host_matches(&site.host, host)).take_while(move |site| {
        // No path gets past the first that serves all of them.
        let is_reached = !behind;
        behind |= site.path == "/";
        is_reached
    })
}

/// The host of an authority (RFC 3986 section 3.2): lower case, without port
/// and trailing dot.
///
/// # Errors
/// [`Reason::OddHost`]: user information, or anything else that is no name, no
/// address and no port. An application might find another host in it.
pub(in crate::front) fn host_of(authority: &str) -> Result<String, Reason> {
    let is_address = authority.starts_with('[');
    let end = if is_address {
        authority.find(']').map_or(0, |bracket| bracket + 1)
    } else {
        authority.find(':').unwrap_or(authority.len())
    };
    let (host, port) = authority.split_at(end);
    let is_host = host.bytes().all(|byte| match byte {
        b'.' | b'-' | b'_' => true,
        b'[' | b':' | b']' => is_address,
        byte => byte.is_ascii_alphanumeric(),
    });
    let is_port = |digits: &str| digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_host && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port)) {
        Ok(host.trim_end_matches('.').to_ascii_lowercase())
    } else {
        Err(Reason::OddHost)
    }
}

fn host_matches(pattern: &HostPattern, host: &str) -> bool {
    match pattern {
        HostPattern::Any => true,
        HostPattern::Exact(name) => name == host,
        HostPattern::Suffix(suffix) => host.len() > suffix.len() && host.ends_with(suffix.as_str()),
    }
}

fn below(prefix: &str, path: &str) -> bool {
    prefix == "/"
        || path
            .strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))
}

fn same(one: Option<&Site>, other: Option<&Site>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::section::ChannelBinding;
    use crate::front::request::reading::LAYERS;

    fn make(host: HostPattern, path: &str) -> Site {
        Site {
            host,
            path: path.to_owned(),
            upstream: None,
            require: Vec::new(),
            mechanisms: Vec::new(),
            mechanisms_by_default: false,
            channel_binding: ChannelBinding::Allow,
            pass_authorization: false,
        }
    }

    fn sites() -> Vec<Site> {
        let exact = || HostPattern::Exact("web.example".to_owned());
        vec![
            make(exact(), "/Secret"),
            make(exact(), "/admin"),
            make(exact(), "/"),
            make(HostPattern::Suffix(".example".to_owned()), "/"),
        ]
    }

    fn path_of(host: &str, path: &str) -> Result<Option<String>, Reason> {
        site(&sites(), host, path).map(|site| site.map(|site| site.path.clone()))
    }

    #[test]
    fn the_longest_path_of_the_nearest_host_serves() {
        assert_eq!(path_of("web.example", "/admin/users"), Ok(Some("/admin".into())));
        assert_eq!(path_of("web.example", "/admin"), Ok(Some("/admin".into())));
        assert_eq!(path_of("web.example", "/Secret/x"), Ok(Some("/Secret".into())));
        assert_eq!(path_of("web.example", "/administrator"), Ok(Some("/".into())));
        assert_eq!(path_of("other.example", "/admin"), Ok(Some("/".into())));
        assert_eq!(path_of("other.test", "/"), Ok(None));
        assert_eq!(path_of("example", "/"), Ok(None));
    }

    #[test]
    fn a_path_that_reads_differently_is_refused_where_it_matters() {
        for path in [
            "/x/../admin",
            "/%61dmin",
            "/%2561dmin",
            "//admin",
            "/./admin",
            "/x%2f..%2fadmin",
            "/x\\..\\admin",
            "/admin;x=y/users",
            "/ADMIN",
            "/admin/../other",
            "/admin%2f",
        ] {
            let answer = path_of("web.example", path);
            let harmless = answer == Ok(Some("/admin".into()));
            assert!(answer == Err(Reason::AmbiguousPath) || harmless, "{path}: {answer:?}");
            assert_eq!(path_of("other.example", path), Ok(Some("/".into())), "{path}");
        }
        assert_eq!(path_of("web.example", "/x/../admin"), Err(Reason::AmbiguousPath));
        assert_eq!(path_of("web.example", "/%61dmin"), Err(Reason::AmbiguousPath));
        for path in [
            "/admin.",
            "/admin%20",
            "/admin. ./users",
            "/admin%2e%20",
            "/admin./users",
            "/x/.. /admin",
            "/%252561dmin",
            "/%25252561dmin",
            "/%ef%bd%81dmin",
            "/\u{ff41}dmin",
            "/%ef%bc%8fadmin",
            "/x%ef%bc%bc..%ef%bc%bcadmin",
            "/ADM%C4%B1N",
            "/x/%c0%ae%c0%ae/admin",
            "/%c1%a1dmin",
            "/%u0061dmin",
            "/%25u0061dmin",
            "/%U0061dmin",
            "/admin%2f..",
            "/admin%2f%2e%2e%2fx",
            "/x/..%c0%2fadmin",
            "/%e0%81%a1dmin",
            "/%f0%80%81%a1dmin",
            "/x%e0%80%af..%e0%80%afadmin",
            "/%f8%80%80%80%afadmin",
            "//web.example/admin",
            "/%2fweb.example/admin",
            "/\\web.example/admin.",
            "/(S(x))/admin",
            "/x/..;/(A(x)S(y))/admin.",
            "/admin::$DATA",
            "/admin:$i30:$INDEX_ALLOCATION/x",
            "/admin%3a%3a$DATA",
            "/admin%23",
            "/admin%2523/x",
            "/admin+",
            "/%20admin",
            "/ad%min",
            "/admin%",
            "/ad%e2%80%8bmin",
            "/admin%ef%bb%bf",
            "/ADM%C4%B0N",
        ] {
            assert_eq!(path_of("web.example", path), Err(Reason::AmbiguousPath), "{path}");
        }
        for path in ["/admin%00", "/admin%0a", "/x%2500", "/%7f", "/%c2%85"] {
            assert_eq!(path_of("web.example", path), Err(Reason::OddPath), "{path}");
            assert_eq!(path_of("other.example", path), Ok(Some("/".into())), "{path}");
        }
        let deep = format!("/%{}61dmin", "25".repeat(LAYERS));
        assert_eq!(path_of("web.example", &deep), Err(Reason::AmbiguousPath));
        for path in [
            "/100%",
            "/a%zz",
            "/caf%e9",
            "/x.y. z/%C3%A9",
            "/a...",
            "/%user",
            "/%c0/x",
            "/(S(x))/wiki",
            "//a/b",
            "/C++/a:b",
            "/%e2%80%8f%d7%a9",
            "/x/../y",
        ] {
            assert_eq!(path_of("web.example", path), Ok(Some("/".into())), "{path}");
        }
        assert_eq!(path_of("web.example", "/group%2Fproject/a.b;c"), Ok(Some("/".into())));
    }

    #[test]
    fn another_host_beside_the_one_asked_for_may_not_lead_elsewhere() {
        let sites = sites();
        let found = site(&sites, "web.example", "/wiki").unwrap().unwrap();
        let contradicts = |host: &str| is_contradicted(&sites, found, "/wiki", &[host.to_owned()]);
        assert!(contradicts("other.example"));
        for host in ["web.example", "unknown.test", ""] {
            assert!(!contradicts(host), "{host}");
        }
    }

    #[test]
    fn an_assertion_is_for_a_site_and_not_for_its_whole_host() {
        let sites = sites();
        assert_eq!(audience(&sites[1], "web.example"), "web.example/admin");
        assert_eq!(audience(&sites[2], "web.example"), "web.example");
    }

    #[test]
    fn a_host_is_its_name_in_lower_case_without_port_and_dot() {
        for (authority, host) in [
            ("Web.Example:8080", "web.example"),
            ("web.example.", "web.example"),
            ("[::1]:80", "[::1]"),
            ("10.0.0.1", "10.0.0.1"),
            ("my_host:", "my_host"),
            ("", ""),
        ] {
            assert_eq!(host_of(authority), Ok(host.to_owned()));
        }
    }

    #[test]
    fn a_host_with_anything_else_in_it_is_refused() {
        for authority in [
            "x@web.example",
            "other.example:80@web.example",
            "other.example, web.example",
            "other.example:web.example",
            "other.example:80:81",
            "[::1]web.example",
            "[::1",
            "::1",
            "]web.example",
            "[web.example",
            "web.example/",
            "web%2eexample",
            "w\u{e9}b.example",
        ] {
            assert_eq!(host_of(authority), Err(Reason::OddHost), "{authority}");
        }
    }
}

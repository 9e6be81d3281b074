//! Which site a request is for. The path is matched in every way an
//! application might read it; where the readings lead to different sites, the
//! request is refused rather than guessed.

use crate::config::checked::{HostPattern, Site};
use crate::wire::Reason;

/// Finds the site for a host (lower case, no port) and a request path; `sites`
/// stand the most specific first.
/// `Ok(None)`: no site is configured for it.
///
/// # Errors
/// [`Reason::AmbiguousPath`]: the path leads to different sites, depending on
/// who decodes it.
pub fn site<'a>(sites: &'a [Site], host: &str, path: &str) -> Result<Option<&'a Site>, Reason> {
    let candidates: Vec<&Site> =
        sites.iter().filter(|site| host_matches(&site.host, host)).collect();
    if let Some(only) = candidates.first()
        && only.path == "/"
    {
        return Ok(Some(only));
    }
    let found = candidates.iter().copied().find(|site| below(&site.path, path));
    for reading in readings(path) {
        let folded = reading.to_lowercase();
        let exact = candidates.iter().copied().find(|site| below(&site.path, &reading));
        let caseless =
            candidates.iter().copied().find(|site| below(&site.path.to_lowercase(), &folded));
        if !same(found, exact) || !same(found, caseless) {
            return Err(Reason::AmbiguousPath);
        }
    }
    Ok(found)
}

/// Whether it takes a path to find the site for a host.
pub fn depends_on_path(sites: &[Site], host: &str) -> bool {
    let mut candidates = sites.iter().filter(|site| host_matches(&site.host, host));
    candidates.next().is_some_and(|nearest| nearest.path != "/")
}

/// The sites that a request for a host can lead to.
pub fn reachable<'a>(sites: &'a [Site], host: &str) -> impl Iterator<Item = &'a Site> {
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
pub fn host_of(authority: &str) -> Result<String, Reason> {
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
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?']))
}

fn same(one: Option<&Site>, other: Option<&Site>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => std::ptr::eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

/// The path as different programs read it: percent-decoded once and twice
/// (proxies chained), backslashes as slashes, without `;parameters`, each with
/// empty and dot segments resolved.
fn readings(path: &str) -> Vec<String> {
    let once = decode(path);
    let twice = decode(&once);
    let mut readings = Vec::new();
    for form in [path.to_owned(), once, twice] {
        let slashes = form.replace('\\', "/");
        let bare: String = slashes
            .split('/')
            .map(|segment| segment.split(';').next().unwrap_or(segment))
            .collect::<Vec<_>>()
            .join("/");
        for form in [form, slashes, bare] {
            readings.push(resolve(&form));
        }
    }
    readings.dedup();
    readings
}

fn decode(path: &str) -> String {
    let bytes = path.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let escaped = (byte == b'%')
            .then(|| bytes.get(at + 1..at + 3))
            .flatten()
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match escaped {
            Some(value) => {
                decoded.push(value);
                at += 3;
            }
            None => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

fn resolve(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::checked::ChannelBinding;

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
        assert_eq!(path_of("web.example", "/group%2Fproject/a.b;c"), Ok(Some("/".into())));
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

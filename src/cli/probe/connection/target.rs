//! The page that is probed.

use http::Uri;

/// A URL, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::cli::probe) struct Target {
    /// Whether it is reached by TLS.
    pub(in crate::cli::probe) tls: bool,
    /// The host, without the brackets of an IPv6 address.
    pub(in crate::cli::probe) host: String,
    pub(in crate::cli::probe) port: u16,
    pub(in crate::cli::probe) path: String,
    /// What is in the `Host` field.
    pub(in crate::cli::probe) authority: String,
}

impl Target {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it.
    pub(in crate::cli::probe) fn parse(url: &str) -> Result<Self, String> {
        let uri: Uri = url.parse().map_err(|error| format!("{url} is not a URL: {error}"))?;
        let tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(format!("{url} does not begin with https:// or http://")),
        };
        let authority = uri.authority().ok_or_else(|| format!("{url} names no host"))?;
        if authority.as_str().contains('@') {
            return Err(format!(
                "{url} contains a user name: give it with --user, or leave it out"
            ));
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(format!("{url} names no host"));
        }
        let default = if tls { 443 } else { 80 };
        Ok(Self {
            tls,
            host: host.to_owned(),
            port: authority.port_u16().unwrap_or(default),
            path: uri.path_and_query().map_or("/", |path| path.as_str()).to_owned(),
            authority: authority.as_str().to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_host_port_and_path() {
        let target = Target::parse("https://web.example/a?b=c").unwrap();
        assert_eq!((target.tls, target.host.as_str(), target.port), (true, "web.example", 443));
        assert_eq!((target.path.as_str(), target.authority.as_str()), ("/a?b=c", "web.example"));
        let target = Target::parse("http://[::1]:8080").unwrap();
        assert_eq!((target.tls, target.host.as_str(), target.port), (false, "::1", 8080));
        assert_eq!((target.path.as_str(), target.authority.as_str()), ("/", "[::1]:8080"));
    }

    #[test]
    fn what_is_no_url_of_a_site_is_said() {
        for url in
            ["", "web.example", "ftp://web.example/", "https://", "https://john@web.example/"]
        {
            assert!(Target::parse(url).is_err(), "{url}");
        }
    }
}

//! Which requests a site serves, and where its application is.

use std::net::Ipv6Addr;
use std::str::FromStr;

use http::Uri;

use crate::config::reading::TextValue;
use crate::config::value_types::addresses::{is_host_name, port_of};

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

/// A path prefix of a site: begins with `/`, ends without one unless it is `/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::config) struct SitePath(pub(in crate::config) String);

impl TextValue for HostPattern {
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

impl TextValue for SitePath {
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

impl TextValue for Uri {
    const TYPE: &'static str = "http:// URL";

    /// Without what is before the `@`: it may be a password.
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

fn is_address(host: &str) -> bool {
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    bracketed.is_some_and(|host| host.parse::<Ipv6Addr>().is_ok())
}

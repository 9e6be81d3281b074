//! The service that an NTLM client means to speak to: it writes its name under
//! the protection of its password (MS-NLMP 2.2.2.1, MsvAvTargetName). An answer
//! that was made for another service was relayed.

use std::collections::BTreeSet;
use std::sync::Arc;

/// The hosts that are ours.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct OwnHosts {
    names: BTreeSet<String>,
    suffixes: Vec<String>,
}

/// Which services an answer may be made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Targets {
    /// Any.
    Any,
    /// Those on hosts of ours. The host that the request names is none by that: who
    /// passes on an answer that he received writes the request.
    Ours {
        /// The hosts that are ours whatever a request says.
        own: Arc<OwnHosts>,
        /// The address of ours that the client connected to, without brackets.
        local: Option<String>,
    },
}

impl OwnHosts {
    /// These names, and those that end with one of `suffixes` (`.example.org`).
    pub(crate) fn new(names: impl IntoIterator<Item = String>, suffixes: Vec<String>) -> Self {
        let lower = |name: String| name.to_ascii_lowercase();
        let names = names.into_iter().map(lower).filter(|name| !name.is_empty());
        Self { names: names.collect(), suffixes }
    }

    fn has(&self, host: &str) -> bool {
        let is_below = |suffix: &String| host.len() > suffix.len() && host.ends_with(&**suffix);
        self.names.contains(host) || self.suffixes.iter().any(is_below)
    }
}

impl Targets {
    /// Whether an answer may be made for the service of this name: `HTTP/host`,
    /// where a port or a realm may follow. A client that knows no name says so,
    /// and cannot be held to one.
    pub(in crate::mechanism) fn admit(&self, name: &str) -> bool {
        let Self::Ours { own, local } = self else { return true };
        let name = name.trim();
        if name.is_empty() || name.eq_ignore_ascii_case(UNSPECIFIED) {
            return true;
        }
        let Some((class, rest)) = name.split_once('/') else { return false };
        if !class.eq_ignore_ascii_case("HTTP") {
            return false;
        }
        let instance = rest.split(['/', '@']).next().unwrap_or_default();
        let named = without_port(instance).trim_end_matches('.').to_ascii_lowercase();
        let address = named.trim_start_matches('[').trim_end_matches(']');
        !named.is_empty() && (local.as_deref() == Some(address) || own.has(&named))
    }
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        // A bare address of IPv6 has more colons, and no port.
        Some((before, port))
            if port.bytes().all(|byte| byte.is_ascii_digit())
                && (before.ends_with(']') || !before.contains(':')) =>
        {
            before
        }
        _ => host,
    }
}

/// What Windows writes for a caller that names no service.
const UNSPECIFIED: &str = "unspecified";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_at_a_host_of_ours_is_meant() {
        let names = ["Gate.example.org".to_owned(), "web.lab.example".to_owned(), String::new()];
        let own = OwnHosts::new(names, vec![".apps.example".to_owned()]);
        let local = Some("192.0.2.1".to_owned());
        let ours = Targets::Ours { own: Arc::new(own), local };
        for (name, admitted) in [
            ("HTTP/web.lab.example", true),
            ("http/WEB.lab.example", true),
            ("HTTP/web.lab.example:8443", true),
            ("HTTP/web.lab.example.", true),
            ("HTTP/web.lab.example@LAB.EXAMPLE", true),
            ("HTTP/gate.example.org/LAB", true),
            ("HTTP/a.apps.example", true),
            ("HTTP/192.0.2.1", true),
            ("HTTP/192.0.2.1:80", true),
            ("", true),
            (" ", true),
            ("unspecified", true),
            ("HTTP/.apps.example", false),
            ("HTTP/apps.example", false),
            ("HTTP/192.0.2.2", false),
            ("HTTP/evil.example", false),
            ("HTTP/evil.example/web.lab.example", false),
            ("HTTP/web.lab.example.evil.example", false),
            ("HTTP/evil.example:web.lab.example", false),
            ("HTTP/evil.example@web.lab.example", false),
            ("cifs/web.lab.example", false),
            ("HTTPS/web.lab.example", false),
            ("web.lab.example", false),
            ("HTTP/", false),
            ("/web.lab.example", false),
        ] {
            assert_eq!(ours.admit(name), admitted, "{name}");
            assert!(Targets::Any.admit(name));
        }
        let local = Some("2001:db8::1".to_owned());
        let own = Arc::new(OwnHosts::default());
        let v6 = Targets::Ours { own, local };
        assert!(v6.admit("HTTP/[2001:db8::1]:8080") && v6.admit("HTTP/[2001:db8::1]"));
        assert!(!v6.admit("HTTP/[2001:db8::2]"));
        let unknown = Targets::Ours { own: Arc::default(), local: None };
        assert!(!unknown.admit("HTTP/evil.example"));
    }
}

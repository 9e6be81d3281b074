//! Peers that speak as proxies do and are not in `trusted_proxies`: each is named once in the log,
//! and in `/ready` as long as the gateway runs. An unlisted proxy mostly works, so otherwise
//! nobody would notice.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use http::header::{FORWARDED, VIA};
use ipnet::IpNet;

use crate::front::metrics::FrontMetrics;
use crate::front::request::header_names::is_forwarding;

/// What a request shows of a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::front) struct Mark {
    /// The header that gives it away.
    header: &'static str,
    /// Whether it says that the client came by HTTPS.
    pub https: bool,
}

impl Mark {
    /// Reads it; `None` where nothing speaks of a proxy.
    pub(in crate::front) fn read(headers: &HeaderMap) -> Option<Self> {
        let marked = |name: &http::HeaderName| *name == VIA || is_forwarding(name.as_str());
        if !headers.keys().any(marked) {
            return None;
        }
        let https = ["x-forwarded-proto", "forwarded"].into_iter().any(|name| {
            headers.get_all(name).iter().any(|value| says_https(name, value.as_bytes()))
        });
        let header = match https {
            true if headers.contains_key("x-forwarded-proto") => "X-Forwarded-Proto: https",
            true => "Forwarded: proto=https",
            false => TELLING
                .into_iter()
                .find(|name| headers.contains_key(*name))
                .unwrap_or("X-Forwarded-*"),
        };
        Some(Self { header, https })
    }
}

/// As it is in the request.
impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.header)
    }
}

fn says_https(name: &str, value: &[u8]) -> bool {
    let value = value.to_ascii_lowercase();
    let text = String::from_utf8_lossy(&value);
    let mut words = text.split([',', ';']).map(|word| word.trim().replace('"', ""));
    if name == FORWARDED.as_str() {
        words.any(|word| word == "proto=https")
    } else {
        words.any(|word| word == "https" || word == "wss")
    }
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::front) struct Unlisted {
    seen: Mutex<HashMap<IpAddr, Mark>>,
}

impl Unlisted {
    /// A request of a peer that is not trusted showed this.
    pub(in crate::front) fn saw(&self, peer: IpAddr, mark: Mark, metrics: &FrontMetrics) {
        metrics.unlisted_proxy_requests.inc();
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        match seen.get(&peer) {
            Some(known) if known.https || !mark.https => return,
            Some(_) => {}
            None if seen.len() >= NAMED => return,
            None => {}
        }
        seen.insert(peer, mark);
        metrics.unlisted_proxies.set(i64::try_from(seen.len()).unwrap_or(i64::MAX));
        let full = seen.len() == NAMED;
        drop(seen);
        tracing::warn!(event = "unlisted_proxy", %peer, "{}", sentence(peer, mark));
        if full {
            tracing::warn!(
                "{NAMED} peers that are not in trusted_proxies have sent forwarding headers: no more are named until a restart"
            );
        }
    }

    /// A sentence for each such peer that is still not listed.
    pub(in crate::front) fn notices(&self, trusted: &[IpNet]) -> Vec<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left: Vec<_> = seen
            .iter()
            .filter(|(peer, _)| !trusted.iter().any(|network| network.contains(*peer)))
            .map(|(peer, mark)| (*peer, *mark))
            .collect();
        left.sort_unstable_by_key(|(peer, _)| *peer);
        left.into_iter().map(|(peer, mark)| sentence(peer, mark)).collect()
    }
}

fn sentence(peer: IpAddr, mark: Mark) -> String {
    let costs = if mark.https {
        "cookies are not marked Secure, passwords count as sent over plain HTTP, and applications \
         get http and the proxy's address"
    } else {
        "applications, limits and the audit log get the proxy's address instead of the client's"
    };
    format!(
        "{peer} sends {mark}, as a proxy does, but is not in trusted_proxies. So its headers are \
         not believed: {costs}. If it is your proxy, list it: [front] trusted_proxies = \
         [\"{peer}\"]"
    )
}

/// The most telling first.
const TELLING: [&str; 8] = [
    "X-Forwarded-For",
    "X-Forwarded-Proto",
    "X-Forwarded-Host",
    "Forwarded",
    "X-Real-IP",
    "X-Original-URI",
    "X-Original-URL",
    "Via",
];

/// Anybody can send such headers: the log and the memory have a bound.
const NAMED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn mark(lines: &[(&'static str, &str)]) -> Option<Mark> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().unwrap());
        }
        Mark::read(&headers)
    }

    #[test]
    fn a_proxy_is_told_by_any_of_its_headers() {
        assert_eq!(mark(&[("host", "web.example"), ("accept", "*/*")]), None);
        for (line, shown, https) in [
            (("x-forwarded-proto", "https"), "X-Forwarded-Proto: https", true),
            (("x-forwarded-proto", "WSS, http"), "X-Forwarded-Proto: https", true),
            (("x-forwarded-proto", "http"), "X-Forwarded-Proto", false),
            (("forwarded", "for=10.0.0.1;proto=\"https\""), "Forwarded: proto=https", true),
            (("forwarded", "for=10.0.0.1"), "Forwarded", false),
            (("x-forwarded-for", "10.0.0.1"), "X-Forwarded-For", false),
            (("x-forwarded-port", "443"), "X-Forwarded-*", false),
            (("via", "1.1 squid"), "Via", false),
        ] {
            let found = mark(&[("host", "web.example"), line]).unwrap();
            assert_eq!((found.to_string().as_str(), found.https), (shown, https), "{line:?}");
        }
    }

    #[test]
    fn each_peer_is_named_once_and_not_any_more_when_it_is_listed() {
        let (unlisted, metrics) =
            (Unlisted::default(), FrontMetrics::register(&Metrics::default()).unwrap());
        let peer: IpAddr = "10.1.0.5".parse().unwrap();
        let saw = |lines| unlisted.saw(peer, mark(lines).unwrap(), &metrics);
        saw(&[("via", "1.1 a")]);
        saw(&[("x-forwarded-proto", "https")]);
        saw(&[("via", "1.1 a")]);
        let [said] = &unlisted.notices(&[])[..] else { panic!() };
        assert!(said.starts_with("10.1.0.5 sends X-Forwarded-Proto: https"), "{said}");
        assert!(said.ends_with("trusted_proxies = [\"10.1.0.5\"]"), "{said}");
        assert!(unlisted.notices(&["10.1.0.0/16".parse().unwrap()]).is_empty());
        assert_eq!(metrics.unlisted_proxies.get(), 1);
        assert_eq!(metrics.unlisted_proxy_requests.get(), 3);
    }

    #[test]
    fn strangers_do_not_fill_the_memory() {
        let (unlisted, metrics) =
            (Unlisted::default(), FrontMetrics::register(&Metrics::default()).unwrap());
        for last in 0..200_u32 {
            let peer = IpAddr::from(last.to_be_bytes());
            unlisted.saw(peer, mark(&[("via", "1.1 a")]).unwrap(), &metrics);
        }
        assert_eq!(unlisted.notices(&[]).len(), NAMED);
    }
}

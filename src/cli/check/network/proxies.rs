//! What proxies in front of the gateway need, as far as the configuration shows.

use std::net::SocketAddr;

use crate::advice::{configuration, proxy};
use crate::cli::check::report::Finding;
use crate::config::Settings;
use crate::config::section::{ChannelBinding, Front, HostPattern, Site};

pub(in crate::cli::check) fn check(settings: &Settings) -> Vec<Finding> {
    let front = &settings.front;
    let findings = [header_size(front), unlisted(front), unbound(front, &settings.sites)];
    findings.into_iter().flatten().collect()
}

/// Tickets of people in many groups are large, and so are cookies.
fn header_size(front: &Front) -> Option<Finding> {
    let most = front.max_header_bytes;
    (most < LARGE_TICKET).then(|| {
        let found = format!(
            "max_header_bytes is {most}: the ticket of a user in many groups has up to 64 KB, and would get 431"
        );
        Finding::warn("header size", found, configuration::ROOM_FOR_TICKETS)
    })
}

/// All who come do so by plain HTTP, and nobody is believed who says otherwise.
fn unlisted(front: &Front) -> Option<Finding> {
    let plain_alone = !front.listen.is_empty() && front.listen_tls.is_empty();
    (plain_alone && front.trusted_proxies.is_empty()).then(|| {
        let found = format!(
            "Doorward listens only for plain HTTP ({}), and trusted_proxies is empty: what a proxy says about https and its clients is not believed, so cookies are not Secure, passwords (Basic) are refused, and applications get http and the proxy's address",
            listed(&front.listen)
        );
        Finding::warn(CHECK, found, proxy::LIST)
    })
}

/// Where a sign-on must be bound to TLS, a listener without it lets nobody in.
fn unbound(front: &Front, sites: &[Site]) -> Option<Finding> {
    let bound = sites.iter().filter(|site| site.channel_binding == ChannelBinding::Require);
    let mut bound: Vec<_> = bound.map(|site| host(&site.host)).collect();
    bound.dedup();
    if front.listen.is_empty() || bound.is_empty() {
        return None;
    }
    let found = format!(
        "channel_binding = \"require\" is set for {}: nobody can sign on there by Kerberos or NTLM through {} (plain HTTP), or through a proxy that ends TLS",
        bound.join(", "),
        listed(&front.listen)
    );
    Some(Finding::warn(CHECK, found, proxy::BOUND))
}

fn host(pattern: &HostPattern) -> String {
    match pattern {
        HostPattern::Any => "all hosts".to_owned(),
        HostPattern::Suffix(suffix) => format!("*{suffix}"),
        HostPattern::Exact(host) => host.clone(),
    }
}

fn listed(addresses: &[SocketAddr]) -> String {
    let shown: Vec<_> = addresses.iter().map(ToString::to_string).collect();
    format!("front.listen {}", shown.join(", "))
}

const CHECK: &str = "proxy";

/// Windows makes tokens of 48,000 bytes at most, which are 64,000 in base64.
const LARGE_TICKET: usize = 65_536;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;
    use crate::config::{self, Surroundings};

    fn said(text: &str) -> Vec<String> {
        let settings = config::parse(text, "test", &Surroundings::here()).unwrap().settings;
        let findings = check(&settings);
        assert!(findings.iter().all(|finding| finding.status() == Status::Warn), "{findings:?}");
        findings.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn plain_http_alone_needs_a_listed_proxy() {
        let warned = said("[front]\nlisten = [\"127.0.0.1:80\"]\n");
        assert!(warned[0].contains("trusted_proxies is empty"), "{warned:?}");
        assert!(warned[0].contains("127.0.0.1:80"), "{warned:?}");
        for fine in [
            "listen = [\"127.0.0.1:80\"]\ntrusted_proxies = [\"127.0.0.1\"]",
            "listen = [\"127.0.0.1:80\"]\nlisten_tls = [\"0.0.0.0:443\"]",
        ] {
            assert_eq!(said(&format!("[front]\n{fine}\n")), [] as [String; 0]);
        }
    }

    #[test]
    fn small_heads_are_warned_about() {
        let lines = "listen = [\"127.0.0.1:80\"]\nlisten_tls = [\"0.0.0.0:443\"]";
        let warned = said(&format!("[front]\n{lines}\nmax_header_bytes = 65535\n"));
        assert!(warned[0].contains("max_header_bytes is 65535"), "{warned:?}");
        assert_eq!(said(&format!("[front]\n{lines}\nmax_header_bytes = 65536\n")).len(), 0);
    }

    #[test]
    fn a_plain_listener_cannot_bind_a_sign_on() {
        let site = "[[site]]\nhost = \"a.example\"\nchannel_binding = \"require\"\n";
        let front = "[front]\nlisten_tls = [\"0.0.0.0:443\"]\n";
        let warned = said(&format!("{front}listen = [\"127.0.0.1:80\"]\n{site}"));
        assert!(warned[0].contains("is set for a.example"), "{warned:?}");
        assert_eq!(said(&format!("{front}listen = []\n{site}")).len(), 0);
    }
}

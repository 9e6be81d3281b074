//! What log, audit log and metrics record about a request that was not served.

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Instant;

use crate::audit::{Happening, Line, Verdict};
use crate::clock;
use crate::config::section::HostPattern;
use crate::front::request::facts::Facts;
use crate::front::sign_on::Refusal;
use crate::front::state::Front;
use crate::front::state::visitors::{Reference, Visitor};
use crate::front::upstream::UpstreamError;
use crate::wire::Reason;
use crate::wire::reason::Fault;
use crate::wire::reference::new_reference;

/// A refusal, of `login` where somebody is signed on; gives the reference for its page. That nobody has signed on yet is no
/// event; its line is there for whoever looks for the reference.
pub(super) fn refused(
    front: &Front,
    facts: Option<&Facts>,
    refusal: &Refusal,
    login: Option<&str>,
    began: Instant,
) -> String {
    let reason = refusal.reason;
    if reason.fault() == Fault::Nobody {
        return not_signed_on(front, facts, reason, began);
    }
    let reference = new_reference();
    let (site, client) = (site(facts), facts.map(|facts| facts.client));
    let detail = detail(front, facts, refusal);
    let shown = client.map(tracing::field::display);
    // Clients can provoke our own faults, too, as often as they like.
    let due = match reason.fault() {
        Fault::Configuration | Fault::Ourselves | Fault::Upstream => {
            front.log_limits.faults.due(reason, clock::instant())
        }
        Fault::Nobody | Fault::Client => None,
    };
    match due {
        Some(since_the_last) => {
            tracing::error!(reference, %reason, detail, site, client = shown, since_the_last, "{}", reason.sentence());
        }
        None => tracing::info!(reference, %reason, detail, site, client = shown, login, "refused"),
    }
    if let Some(mechanism) = refusal.tried {
        front.metrics.refused(mechanism, reason);
    }
    let happening = match (refusal.tried, login) {
        (_, Some(_)) => Happening::Access,
        (Some(_), None) => Happening::SignOn,
        (None, None) => return reference,
    };
    front.audit.write(&Line {
        reason: Some(reason),
        detail: Some(detail.as_str()).filter(|detail| !detail.is_empty()),
        mechanism: refusal.tried,
        login,
        client,
        site: Some(&site),
        reference: Some(&reference),
        ..Line::new(happening, Verdict::Refused)
    });
    reference
}

/// An application that gave no answer; gives the reference for its page.
pub(super) fn application(front: &Front, facts: Option<&Facts>, error: &UpstreamError) -> String {
    let reference = new_reference();
    front.metrics.upstream_failed(error.label());
    tracing::error!(
        reference,
        site = site(facts),
        reason = %error.reason(),
        kind = error.label(),
        error = error as &dyn std::error::Error,
        "the application gave no answer"
    );
    reference
}

/// Once a minute for each host, client and reason at `info`, otherwise at `debug`.
fn not_signed_on(front: &Front, facts: Option<&Facts>, reason: Reason, began: Instant) -> String {
    let (site, client) = (site(facts), facts.map(|facts| facts.client));
    let shown = client.map(tracing::field::display);
    let Reference { text: reference, is_new } = if reason == Reason::ExchangeOpen {
        Reference { text: new_reference(), is_new: false }
    } else {
        let host = facts.map(|facts| facts.host.clone()).unwrap_or_default();
        front.log_limits.visitors.reference(Visitor { host, client, reason }, clock::instant())
    };
    if is_new {
        tracing::info!(reference, %reason, site, client = shown, "not signed on");
    } else {
        let took = began.elapsed();
        tracing::debug!(reference, %reason, site, client = shown, ?took, "not signed on");
    }
    reference
}

/// The story behind a refusal, with what this place knows besides.
fn detail(front: &Front, facts: Option<&Facts>, refusal: &Refusal) -> String {
    let mut detail = refusal.detail.clone();
    let mut add = |more: &str| {
        let between = match detail.chars().last() {
            None => "",
            Some('.' | '?' | '!') => " ",
            Some(_) => ". ",
        };
        // Writing to a text cannot fail.
        let _ = write!(detail, "{between}{more}");
    };
    match (refusal.reason, facts) {
        (Reason::NoSite, Some(facts)) if refusal.detail.is_empty() => {
            let live = front.live();
            let names = live.settings.sites.iter().map(|site| shown(&site.host)).collect();
            add(&no_site(&facts.host, names));
        }
        (Reason::BindingMismatch, Some(facts)) => add(&format!(
            "It came from {client}: if that is your proxy, list it in [front] trusted_proxies, or \
             let it pass TLS through",
            client = facts.client
        )),
        (Reason::UntrustedProxy, Some(facts)) => add(&format!(
            "It came from {client}: if that is your proxy, set [front] trusted_proxies = [\"{client}\"]",
            client = facts.client
        )),
        (Reason::ClockSkew | Reason::TicketExpired | Reason::TicketNotYetValid, _) => {
            add(&clocks(front));
        }
        _ => {}
    }
    detail
}

/// Which hosts there are: a few names, since the log is for the administrator.
fn no_site(host: &str, mut names: Vec<String>) -> String {
    names.sort_unstable();
    names.dedup();
    let more = names.len().saturating_sub(NAMED);
    names.truncate(NAMED);
    let mut known = if names.is_empty() { "none at all".to_owned() } else { names.join(", ") };
    if more > 0 {
        known = format!("{known} and {more} more");
    }
    let proxy = if host.parse::<IpAddr>().is_ok() || host == "localhost" {
        ". Does a proxy in front of this gateway pass on Host (nginx: proxy_set_header Host $http_host)?"
    } else {
        ""
    };
    format!("no [[site]] for host {host} and this path; there are sites for {known}{proxy}")
}

fn shown(host: &HostPattern) -> String {
    match host {
        HostPattern::Any => "*".to_owned(),
        HostPattern::Suffix(suffix) => format!("*{suffix}"),
        HostPattern::Exact(name) => name.clone(),
    }
}

fn clocks(front: &Front) -> String {
    let now = clock::now();
    match front.readiness.clock() {
        Some(clock) if clock.is_wrong() => format!(
            "This gateway's clock says {now} and is {clock} the domain controller's: set it by NTP"
        ),
        Some(clock) => format!(
            "This gateway's clock says {now} and is {clock} the domain controller's, so set the \
             client's clock"
        ),
        None => format!(
            "This gateway's clock says {now}: compare it and the client's with the domain controller's"
        ),
    }
}

fn site(facts: Option<&Facts>) -> String {
    facts.map(|facts| format!("{}{}", facts.host, facts.path)).unwrap_or_default()
}

/// Hosts that a line names at most.
const NAMED: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    fn said(host: &str, names: &[&str]) -> String {
        no_site(host, names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn the_log_names_the_hosts_that_there_are() {
        let some = ["web.example", "*.lab.example", "web.example"];
        assert_eq!(
            said("intranet", &some),
            "no [[site]] for host intranet and this path; there are sites for *.lab.example, web.example"
        );
        assert!(said("127.0.0.1", &some).ends_with("(nginx: proxy_set_header Host $http_host)?"));
        let many: Vec<String> = (0..10).map(|n| format!("w{n}.example")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(said("x.example", &many).ends_with("w7.example and 2 more"));
        assert!(said("x.example", &[]).ends_with("none at all"));
    }
}

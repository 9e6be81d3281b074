//! The gateway's own host name.

use std::net::{IpAddr, ToSocketAddrs};
use std::process::{Command, Stdio};

use super::finding::Finding;
use crate::config::Settings;
use crate::config::checked::HostPattern;

pub(super) fn check(settings: &Settings) -> Vec<Finding> {
    let host = settings.server_hostname.as_str();
    let mut findings = Vec::new();
    if !host.contains('.') {
        findings.push(Finding::warn(
            "host name",
            format!("{host} has no domain: tickets are for full names"),
            "set server_hostname to the full name by which browsers reach this host",
        ));
    }
    match (host, 0).to_socket_addrs() {
        Ok(addresses) => {
            let addresses: Vec<_> = addresses.map(|address| address.ip()).collect();
            findings.push(resolved(host, &addresses));
        }
        Err(error) => findings.push(Finding::warn(
            "host name",
            format!("{host} has no address ({error})"),
            "add the name to DNS, or correct server_hostname",
        )),
    }
    findings
}

/// The hosts by which browsers reach the sites: the named ones, and the
/// gateway's own where a site, or none, serves whatever name.
pub(super) fn hosts(settings: &Settings) -> Vec<String> {
    let own = &settings.server_hostname;
    let mut hosts: Vec<_> = settings
        .sites
        .iter()
        .map(|site| match &site.host {
            HostPattern::Exact(host) => host.clone(),
            HostPattern::Any | HostPattern::Suffix(_) => own.clone(),
        })
        .collect();
    if hosts.is_empty() {
        hosts.push(own.clone());
    }
    hosts.sort_unstable();
    hosts.dedup();
    hosts
}

/// Clients that look the name up backwards ask for tickets of what they find.
fn resolved(host: &str, addresses: &[IpAddr]) -> Finding {
    let all = addresses.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    // The loopback's name says nothing of how others see this host.
    let outside = addresses.iter().find(|address| !address.is_loopback());
    let backwards = outside.and_then(|address| reverse(*address));
    match backwards {
        Some(names) if !names.iter().any(|name| name.eq_ignore_ascii_case(host)) => Finding::warn(
            "host name",
            format!("{host} is {all}, but that address is {}", names.join(", ")),
            "make the PTR record agree, or set rdns = false in the krb5.conf of the clients: they may ask for a ticket of the other name",
        ),
        Some(_) => Finding::ok("host name", format!("{host} is {all}, and back")),
        None => Finding::ok("host name", format!("{host} is {all}")),
    }
}

/// The names of an address, by the system's resolver (getent(1)).
fn reverse(address: IpAddr) -> Option<Vec<String>> {
    let getent = Command::new("getent")
        .args(["hosts", &address.to_string()])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&getent.stdout);
    let names: Vec<_> =
        text.lines().next()?.split_ascii_whitespace().skip(1).map(str::to_owned).collect();
    (!names.is_empty()).then_some(names)
}

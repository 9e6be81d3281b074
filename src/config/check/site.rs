//! `[[site]]`

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};

use http::Uri;

use super::sso::{binding, known};
use crate::config::checked::{HostPattern, Requirement, Site};
use crate::config::errors::Notes;
use crate::config::port_of;
use crate::config::raw;
use crate::config::words::Offer;
use crate::wire::Mechanism;

/// Where the gateway itself is found.
pub(super) struct Own<'a> {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) name: &'a str,
}

/// The sites, the most specific first. `offered` is what `[sso]` offers.
pub(super) fn check(
    file: &raw::File,
    offered: &[Mechanism],
    own: &Own<'_>,
    notes: &mut Notes<'_>,
) -> Vec<Site> {
    duplicates(file, notes);
    for raw in file.site.iter() {
        if let Some(address) = raw.upstream.as_ref().and_then(|uri| own.listens_at(uri)) {
            notes.error(
                &raw.upstream.at,
                format!(
                    "is this gateway itself, which listens on {address}; write the address of the application"
                ),
            );
        }
    }
    let mut sites: Vec<Site> =
        file.site.iter().map(|raw| site(raw, file, offered, notes)).collect();
    sites.sort_by_key(|site| (Reverse(weight(&site.host)), Reverse(site.path.len())));
    sites
}

impl Own<'_> {
    /// The listener that a request to this URL would come to, as far as the file tells.
    fn listens_at(&self, uri: &Uri) -> Option<SocketAddr> {
        let authority = uri.authority()?;
        let port = port_of(authority, 80)?;
        let host = authority.host().trim_matches(['[', ']']).to_ascii_lowercase();
        let name = host.trim_end_matches('.');
        let is_local = name == "localhost" || name.ends_with(".localhost");
        let reaches = |listener: &SocketAddr| match host.parse::<IpAddr>() {
            Ok(address) => {
                let here = address.is_loopback() || address.is_unspecified();
                listener.ip() == address
                    || (listener.ip().is_unspecified() && here)
                    || (listener.ip().is_loopback() && address.is_unspecified())
            }
            Err(_) if is_local => listener.ip().is_loopback() || listener.ip().is_unspecified(),
            Err(_) => name == self.name && listener.ip().is_unspecified(),
        };
        self.addresses.iter().copied().find(|listener| listener.port() == port && reaches(listener))
    }
}

/// Two sites of one host and path. Not looked for where a site could not be
/// read: its defaults would seem to be twins.
fn duplicates(file: &raw::File, notes: &mut Notes<'_>) {
    if !notes.is_sound() {
        return;
    }
    for (index, site) in file.site.iter().enumerate() {
        let same = |other: &raw::Site| other.host == site.host && other.path == site.path;
        if let Some(twin) = file.site.iter().take(index).find(|other| same(other)) {
            let line = notes.line(&twin.at);
            notes.error(
                &site.at,
                format!(
                    "has the same host and path as the site on line {line}; change or remove one"
                ),
            );
        }
    }
}

fn site(raw: &raw::Site, file: &raw::File, offered: &[Mechanism], notes: &mut Notes<'_>) -> Site {
    let certificates = offered.contains(&Mechanism::Certificate);
    let all = &file.sso.mechanisms;
    for given in raw.mechanisms.iter().filter(|given| !all.contains(given)) {
        let Offer(mechanism) = given.value;
        let name = mechanism.as_str();
        notes.error(
            &given.at,
            format!("{name:?} is not in sso.mechanisms; add it there, or remove it here"),
        );
    }
    if let Some(wanted) = raw.channel_binding.value {
        binding(wanted, &raw.channel_binding.at, file, notes);
    }
    Site {
        host: raw.host.value.clone(),
        path: raw.path.0.clone(),
        upstream: raw.upstream.value.clone(),
        require: require(raw, file, notes),
        mechanisms: if raw.mechanisms.is_empty() {
            offered.to_vec()
        } else {
            known(&raw.mechanisms, certificates, notes)
        },
        mechanisms_by_default: raw.mechanisms.is_empty() && !file.sso.mechanisms.is_set(),
        channel_binding: raw.channel_binding.value.unwrap_or(file.sso.channel_binding.value),
        pass_authorization: raw.pass_authorization.value,
    }
}

fn require(raw: &raw::Site, file: &raw::File, notes: &mut Notes<'_>) -> Vec<Requirement> {
    if raw.require.is_empty() {
        notes.error(&raw.require.at, "is empty, so nobody could use the site; write [\"valid-user\"] to let in everybody who is signed on");
    }
    let case_counts = file.core.realm.iter().any(|realm| realm.case_sensitive.value);
    let mut required = Vec::new();
    for given in raw.require.iter() {
        if let Some(sentence) = unmeetable(&given.value) {
            notes.error(&given.at, format!("{:?} {sentence}", given.value.to_string()));
        }
        required.push(match &given.value {
            Requirement::User(name) if case_counts => Requirement::UserExactly(name.clone()),
            other => other.clone(),
        });
    }
    required
}

/// Why nobody can meet a requirement in this version, and what to write instead. A site
/// that asks for it would lock everybody out.
fn unmeetable(requirement: &Requirement) -> Option<String> {
    match requirement {
        Requirement::Group(name) if is_sid(name) => None,
        Requirement::Group(name) if name.to_ascii_uppercase().starts_with("S-1-") => Some(
            "is not a whole SID; write it as group:S-1-5-21-1004336348-1177238915-682003330-513, as /.doorward/whoami shows it to its members"
                .to_owned(),
        ),
        Requirement::Group(name) => Some(format!(
            "is met by nobody, because this version knows groups only by SID; write group: and the SID. To find it, run `wbinfo --name-to-sid='{}'` on a host that has joined the domain, or (Get-ADGroup '{}').SID.Value in PowerShell",
            name.replace('\'', "'\\''"),
            name.replace('\'', "''"),
        )),
        Requirement::Company(_) => Some(
            "is met by nobody, because tenants are not in this version of Doorward; remove it"
                .to_owned(),
        ),
        Requirement::Admin => Some(
            "is met by nobody, because this version has no administrators among its users; write user:NAME, or group: and the SID of their group"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Whether it is a SID of Windows: `S-1-`, an authority, and numbers below it.
fn is_sid(text: &str) -> bool {
    let mut parts = text.split('-');
    let begins =
        parts.next().is_some_and(|s| s.eq_ignore_ascii_case("s")) && parts.next() == Some("1");
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    begins && parts.clone().all(|part| number(&part)) && parts.count() >= 2
}

/// How specific a pattern is: an exact name before a suffix, a longer suffix before a shorter.
fn weight(host: &HostPattern) -> (u8, usize) {
    match host {
        HostPattern::Exact(_) => (2, 0),
        HostPattern::Suffix(suffix) => (1, suffix.len()),
        HostPattern::Any => (0, 0),
    }
}

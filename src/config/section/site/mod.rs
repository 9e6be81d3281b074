//! `[[site]]`

mod address;
mod require;

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};

use http::Uri;

pub(crate) use self::address::HostPattern;
use self::address::SitePath;
pub(crate) use self::require::Requirement;
use super::sso::{ChannelBinding, Offer, binding, known};
use super::top::File;
use crate::config::reading::{Given, Notes, section};
use crate::config::value_types::addresses::port_of;
use crate::wire::Mechanism;

section! {
    /// `[[site]]`
    Written {
        host: HostPattern = r#""*""#, Reload, "Host names that the site serves.";
        path: SitePath = r#""/""#, Reload, "The path of the site.";
        upstream: Option<Uri> = r#""""#, Reload, "Address of the application; empty: the site is for forward-auth only.";
        require: Vec<Given<Requirement>> = r#"["valid-user"]"#, Reload, "Who may use the site: users who meet one of these.";
        mechanisms: Vec<Given<Offer>> = "[]", Reload, "The mechanisms on offer at this site; empty: as in [sso].";
        channel_binding: Option<ChannelBinding> = r#""""#, Reload, "Channel bindings at this site; empty: as in [sso].";
        pass_authorization: bool = "false", Reload, "Whether Authorization headers with schemes that Doorward does not use reach the application.";
    }
}

/// `[[site]]`
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// Which host names it serves.
    pub host: HostPattern,
    /// The path prefix it serves, on segment borders: begins with `/`, ends without one unless it is `/`.
    pub path: String,
    /// The application; `None`: only forward-auth and Doorward's own pages.
    pub upstream: Option<Uri>,
    /// Who may use it: any of these.
    pub require: Vec<Requirement>,
    /// What is offered here.
    pub mechanisms: Vec<Mechanism>,
    /// Whether nobody wrote that list, neither here nor in `[sso]`.
    pub mechanisms_by_default: bool,
    /// Channel bindings here.
    pub channel_binding: ChannelBinding,
    /// Whether `Authorization` headers of schemes that Doorward does not speak reach the application.
    pub pass_authorization: bool,
}

/// Where the gateway itself is found.
pub(super) struct Own<'a> {
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) name: &'a str,
}

/// The sites, the most specific first. `offered` is what `[sso]` offers.
pub(super) fn check(
    file: &File,
    offered: &[Mechanism],
    own: &Own<'_>,
    notes: &mut Notes<'_>,
) -> Vec<Site> {
    duplicates(file, notes);
    for written in file.site.iter() {
        if let Some(address) = written.upstream.as_ref().and_then(|uri| own.listens_at(uri)) {
            notes.error(
                &written.upstream.at,
                format!(
                    "is this gateway itself, which listens on {address}; write the address of the application"
                ),
            );
        }
    }
    let mut sites: Vec<Site> =
        file.site.iter().map(|written| site(written, file, offered, notes)).collect();
    sites.sort_by_key(|site| (Reverse(weight(&site.host)), Reverse(site.path.len())));
    sites
}

fn site(written: &Written, file: &File, offered: &[Mechanism], notes: &mut Notes<'_>) -> Site {
    let certificates = offered.contains(&Mechanism::Certificate);
    let all = &file.sso.mechanisms;
    for given in written.mechanisms.iter().filter(|given| !all.contains(given)) {
        let Offer(mechanism) = given.value;
        let name = mechanism.as_str();
        notes.error(
            &given.at,
            format!("{name:?} is not in sso.mechanisms; add it there, or remove it here"),
        );
    }
    if let Some(wanted) = written.channel_binding.value {
        binding(wanted, &written.channel_binding.at, file, notes);
    }
    Site {
        host: written.host.value.clone(),
        path: written.path.0.clone(),
        upstream: written.upstream.value.clone(),
        require: require::check(written, file, notes),
        mechanisms: if written.mechanisms.is_empty() {
            offered.to_vec()
        } else {
            known(&written.mechanisms, certificates, notes)
        },
        mechanisms_by_default: written.mechanisms.is_empty() && !file.sso.mechanisms.is_set(),
        channel_binding: written.channel_binding.value.unwrap_or(file.sso.channel_binding.value),
        pass_authorization: written.pass_authorization.value,
    }
}

/// Two sites of one host and path. Not looked for where a site could not be
/// read: its defaults would seem to be twins.
fn duplicates(file: &File, notes: &mut Notes<'_>) {
    if !notes.is_sound() {
        return;
    }
    for (index, site) in file.site.iter().enumerate() {
        let same = |other: &Written| other.host == site.host && other.path == site.path;
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

/// How specific a pattern is: an exact name before a suffix, a longer suffix before a shorter.
fn weight(host: &HostPattern) -> (u8, usize) {
    match host {
        HostPattern::Exact(_) => (2, 0),
        HostPattern::Suffix(suffix) => (1, suffix.len()),
        HostPattern::Any => (0, 0),
    }
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

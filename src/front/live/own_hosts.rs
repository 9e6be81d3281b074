//! The gateway's own host names, whatever a request says. They decide whether an NTLM answer was
//! made for another service.

use crate::config::FrontSettings;
use crate::config::section::HostPattern;
use crate::krb5::keytab::{self, Keytab};
use crate::mechanism::OwnHosts;

/// Those of sites, `server_hostname`, and the services that the keytab has keys of.
pub(super) fn of(settings: &FrontSettings) -> OwnHosts {
    let keytab = keytab::read(&settings.sso.kerberos.keytab).ok();
    let sites = settings.sites.iter();
    let suffixes = sites.clone().filter_map(|site| match &site.host {
        HostPattern::Suffix(suffix) => Some(suffix.clone()),
        HostPattern::Exact(_) | HostPattern::Any => None,
    });
    let named = sites.filter_map(|site| match &site.host {
        HostPattern::Exact(name) => Some(name.clone()),
        HostPattern::Suffix(_) | HostPattern::Any => None,
    });
    let served = keytab.iter().flat_map(hosts);
    OwnHosts::new(named.chain(served).chain([settings.server_hostname.clone()]), suffixes.collect())
}

/// Active Directory gives tickets for `HTTP/` by the keys of `host/`, too.
fn hosts(keytab: &Keytab) -> Vec<String> {
    let host = |principal: &str| {
        let (class, rest) = principal.split_once('/')?;
        let known = class.eq_ignore_ascii_case("HTTP") || class.eq_ignore_ascii_case("host");
        known.then(|| rest.split(['/', '@']).next().unwrap_or_default().to_owned())
    };
    keytab.principals().into_iter().filter_map(host).collect()
}

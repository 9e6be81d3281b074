//! The host names that browsers use: whether DNS knows them, and for which name a client asks for
//! a ticket after a lookup.

use std::net::IpAddr;
use std::process::{Command, Stdio};

use crate::advice::name as advice;
use crate::cli::check::bounded::thread;
use crate::cli::check::report::Finding;
use crate::config::Settings;
use crate::config::section::HostPattern;
use crate::krb5::keytab::{self, Keytab};

/// What the system's resolver says of a host.
#[derive(Clone, Debug, Default)]
struct Looked {
    addresses: Vec<IpAddr>,
    /// The name that an alias leads to.
    canonical: Option<String>,
    /// The names of its address.
    backwards: Vec<String>,
}

pub(in crate::cli::check) fn check(settings: &Settings) -> Vec<Finding> {
    let begun: Vec<_> = hosts(settings)
        .into_iter()
        .map(|host| {
            let asked = host.clone();
            (host, thread::ask(move || look_up(&asked)))
        })
        .collect();
    // Why a keytab cannot be read is told by another line.
    let keytab = keytab::read(&settings.sso.kerberos.keytab).ok();
    let told = begun.into_iter().flat_map(|(host, asked)| match asked.wait() {
        Some(looked) => findings_on(&host, &looked, keytab.as_ref()),
        None => {
            let limit = thread::LIMIT.as_secs();
            let found = format!("{host}: DNS does not answer within {limit} s");
            vec![Finding::warn(CHECK, found, advice::RESOLVER)]
        }
    });
    told.collect()
}

/// The hosts by which browsers reach the sites: the named ones, and the
/// gateway's own where a site, or none, serves whatever name.
pub(in crate::cli::check) fn hosts(settings: &Settings) -> Vec<String> {
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

fn findings_on(host: &str, looked: &Looked, keytab: Option<&Keytab>) -> Vec<Finding> {
    if host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok() {
        let found = format!(
            "{host} is an address: Kerberos tickets are for names only, so nobody can sign on by a ticket there"
        );
        return vec![Finding::warn(CHECK, found, advice::NO_ADDRESS)];
    }
    let mut findings = Vec::new();
    if !host.contains('.') {
        let found = format!("{host} is a short name: tickets are for full names");
        findings.push(Finding::warn(CHECK, found, advice::FULL_NAME));
    }
    if looked.addresses.is_empty() {
        let found =
            format!("{host} has no address: DNS does not know it, so browsers cannot reach it");
        findings.push(Finding::warn(CHECK, found, advice::ADD));
        return findings;
    }
    let all: Vec<_> = looked.addresses.iter().map(ToString::to_string).collect();
    let all = all.join(", ");
    let differs = |name: &&String| !name.eq_ignore_ascii_case(host);
    if let Some(canonical) = looked.canonical.as_ref().filter(differs) {
        findings.push(alias(host, canonical, keytab));
    }
    // The loopback's name says nothing of how others see this host.
    let outside = looked.addresses.iter().any(|address| !address.is_loopback());
    let named = !looked.backwards.is_empty();
    findings.push(if outside && named && looked.backwards.iter().all(|name| differs(&name)) {
        let found = format!(
            "{host} is {all}, but that address is {}: clients with reverse lookups in krb5.conf (rdns) ask for a ticket for HTTP/{}",
            looked.backwards.join(", "),
            looked.backwards[0]
        );
        Finding::warn(CHECK, found, advice::AGREE)
    } else if outside && named {
        Finding::ok(CHECK, format!("{host} is {all}, and back"))
    } else {
        Finding::ok(CHECK, format!("{host} is {all}"))
    });
    findings
}

/// Chromium, and MIT's library by default, ask for a ticket of the name that an alias
/// leads to; Firefox and Windows' own programs for the alias.
fn alias(host: &str, canonical: &str, keytab: Option<&Keytab>) -> Finding {
    let found = format!(
        "{host} is an alias of {canonical}: Chromium asks for a ticket for HTTP/{canonical}"
    );
    let has = |name: &str| {
        let wanted = format!("HTTP/{name}@");
        let begins = |held: &&str| {
            held.get(..wanted.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(&wanted))
        };
        keytab.is_none_or(|keytab| keytab.principals().iter().any(begins))
    };
    match (has(canonical), has(host)) {
        (true, true) => {
            Finding::ok(CHECK, format!("{found}, others for HTTP/{host}; the keytab has both"))
        }
        (true, false) => Finding::ok(CHECK, format!("{found}, for which the keytab has a key")),
        (false, _) => {
            let found = format!("{found}, for which the keytab has no key");
            Finding::warn(CHECK, found, advice::alias(host, canonical))
        }
    }
}

/// By getent(1), which asks what every program of this host asks.
fn look_up(host: &str) -> Looked {
    let said = getent("ahosts", host);
    let mut looked = Looked::default();
    for line in said.lines() {
        let mut words = line.split_ascii_whitespace();
        let Some(address) = words.next().and_then(|word| word.parse().ok()) else { continue };
        if !looked.addresses.contains(&address) {
            looked.addresses.push(address);
        }
        // The third word is in the first line only.
        if let Some(name) = words.nth(1) {
            looked.canonical.get_or_insert_with(|| name.trim_end_matches('.').to_owned());
        }
    }
    if let Some(outside) = looked.addresses.iter().find(|address| !address.is_loopback()) {
        let said = getent("hosts", &outside.to_string());
        let names = said.lines().next().unwrap_or_default().split_ascii_whitespace().skip(1);
        looked.backwards = names.map(str::to_owned).collect();
    }
    looked
}

fn getent(database: &str, key: &str) -> String {
    let asked = Command::new("getent").args([database, key]).stdin(Stdio::null()).output();
    asked.map(|said| String::from_utf8_lossy(&said.stdout).into_owned()).unwrap_or_default()
}

const CHECK: &str = "host name";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::check::report::Status;
    use crate::krb5::keytab::tests::held;

    fn looked(canonical: &str, backwards: &[&str]) -> Looked {
        Looked {
            addresses: vec!["192.0.2.1".parse().unwrap()],
            canonical: Some(canonical.to_owned()),
            backwards: backwards.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    fn worst(host: &str, looked: &Looked) -> (Status, String) {
        let keytab = held(&["HTTP/web.test", "HTTP/Real.test"], "A");
        let findings = findings_on(host, looked, Some(&keytab));
        let bad = findings.iter().find(|finding| finding.status() != Status::Ok);
        let finding = bad.unwrap_or(&findings[0]);
        (finding.status(), finding.to_string())
    }

    #[test]
    fn names_that_lead_back_or_have_no_way_back_are_fine() {
        assert_eq!(worst("web.test", &looked("web.test", &[])).0, Status::Ok);
        assert_eq!(worst("web.test", &looked("WEB.test", &["other", "Web.test"])).0, Status::Ok);
    }

    #[test]
    fn the_name_that_a_ticket_will_be_asked_for_is_told() {
        let (status, said) = worst("web.test", &looked("web.test", &["srv7.test"]));
        assert_eq!(status, Status::Warn);
        assert!(said.contains("ask for a ticket for HTTP/srv7.test"), "{said}");
        let (status, said) = worst("web.test", &looked("srv7.test", &[]));
        assert_eq!(status, Status::Warn);
        assert!(said.contains("alias of srv7.test: Chromium asks for a ticket for HTTP/srv7.test"));
        // The keytab has a key of the real name.
        assert_eq!(worst("web.test", &looked("real.test", &[])).0, Status::Ok);
    }

    #[test]
    fn a_host_that_no_ticket_can_name_is_warned_about() {
        assert!(worst("192.0.2.1", &Looked::default()).1.contains("is an address"));
        assert!(worst("[2001:db8::1]", &Looked::default()).1.contains("is an address"));
        assert!(worst("web", &looked("web", &[])).1.contains("is a short name"));
        assert!(worst("none.test", &Looked::default()).1.contains("has no address"));
    }
}

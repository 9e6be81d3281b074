//! The services that tickets are asked for, and what the realm says of each.

use std::path::Path;

use super::holders::Holders;
use super::names;
use crate::cli::check::bounded::thread;
use crate::config::Settings;
use crate::config::section::HostPattern;
use crate::krb5::kdc::ask::{self, Holder, Known, Seen, Withheld};
use crate::krb5::keytab::Keytab;

/// A service that clients ask tickets for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Service {
    /// `HTTP/web.example`
    pub(super) name: String,
    pub(super) realm: String,
    /// Whether the keytab has keys under this name.
    pub(super) is_held: bool,
    /// Who comes by it.
    pub(super) use_: Use,
}

/// Who comes by a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// It is the host of a `[[site]]`, or the configured acceptor.
    Named,
    /// It is this host's own, where a site serves every name.
    Own,
    /// It is in the keytab only.
    Spare,
}

/// What was heard of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// A real ticket, beside the keytab.
    Ticket(Seen),
    /// No ticket, with a ticket-granting ticket in hand.
    Withheld(Withheld),
    /// What the KDC says to everybody.
    Told(Known),
    Nothing,
}

impl Heard {
    /// Whether a ticket would have told more.
    pub(super) const fn lacks_ticket(&self) -> bool {
        matches!(self, Self::Told(Known::Yes | Known::Untold))
    }
}

/// The configured acceptor; without one, each site's host in each realm of the keytab
/// that has it (in all, if none has), and whatever else the keytab has of HTTP/.
pub(super) fn wanted(settings: &Settings, keytab: &Keytab) -> Vec<Service> {
    if let Some(acceptor) = &settings.sso.kerberos.acceptor {
        let (name, realm) = match acceptor.split_once('@') {
            Some((name, realm)) => (name, Some(realm)),
            None => (acceptor.as_str(), None),
        };
        let all = in_realms(name, keytab, Use::Named).into_iter();
        return all.filter(|service| realm.is_none_or(|realm| service.realm == realm)).collect();
    }
    let exact: Vec<_> = settings
        .sites
        .iter()
        .filter_map(|site| match &site.host {
            HostPattern::Exact(host) => Some(host.as_str()),
            HostPattern::Any | HostPattern::Suffix(_) => None,
        })
        .collect();
    let mut wanted = Vec::new();
    for host in names::hosts(settings) {
        let used = if exact.contains(&host.as_str()) { Use::Named } else { Use::Own };
        wanted.extend(in_realms(&format!("HTTP/{host}"), keytab, used));
    }
    for principal in keytab.principals() {
        let Some((name, realm)) = principal.rsplit_once('@') else { continue };
        let is_new = !wanted.iter().any(|service: &Service| {
            service.realm == realm && service.name.eq_ignore_ascii_case(name)
        });
        if name.starts_with("HTTP/") && is_new {
            let (name, realm) = (name.to_owned(), realm.to_owned());
            wanted.push(Service { name, realm, is_held: true, use_: Use::Spare });
        }
    }
    wanted.truncate(MAX_SERVICES);
    wanted
}

fn in_realms(name: &str, keytab: &Keytab, used: Use) -> Vec<Service> {
    let of = |realm: &str, held: Option<&str>| Service {
        name: held.unwrap_or(name).to_owned(),
        realm: realm.to_owned(),
        is_held: held.is_some(),
        use_: used,
    };
    let held: Vec<_> = keytab
        .principals()
        .into_iter()
        .filter_map(|principal| principal.rsplit_once('@'))
        .filter(|(held, _)| held.eq_ignore_ascii_case(name))
        .map(|(held, realm)| of(realm, Some(held)))
        .collect();
    if !held.is_empty() {
        return held;
    }
    keytab.realms().into_iter().map(|realm| of(realm, None)).collect()
}

/// Asks for all of them at once.
pub(super) fn ask(
    services: &[Service],
    keytab: &Path,
    answering: &[&str],
    holders: &Holders,
) -> Vec<Heard> {
    let begun: Vec<_> = services
        .iter()
        .map(|Service { name, realm, .. }| {
            if !answering.contains(&realm.as_str()) {
                return None;
            }
            let (name, realm) = (name.clone(), realm.clone());
            let (keytab, holder) = (keytab.to_owned(), holders.of(&realm).cloned());
            Some(thread::ask(move || ask_for_ticket(&name, &realm, &keytab, holder.as_ref())))
        })
        .collect();
    begun
        .into_iter()
        .map(|asked| asked.and_then(thread::Asked::wait).unwrap_or(Heard::Nothing))
        .collect()
}

/// By a ticket where somebody has one; else by what the KDC says to everybody.
fn ask_for_ticket(name: &str, realm: &str, keytab: &Path, holder: Option<&Holder>) -> Heard {
    let told = || ask::knows(name, realm).map_or(Heard::Nothing, Heard::Told);
    let Some(holder) = holder else { return told() };
    match holder.ticket(&format!("{name}@{realm}"), keytab) {
        Ok(seen) => Heard::Ticket(seen),
        Err(withheld) if holder.realm() == realm => Heard::Withheld(withheld),
        // The other realm's KDC has answered, if the two do not trust each other.
        Err(_) => told(),
    }
}

/// Services that are asked about at most.
const MAX_SERVICES: usize = 16;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{self, Surroundings};
    use crate::krb5::keytab::tests::held;

    fn wanted_of(text: &str, keytab: &Keytab) -> Vec<(String, bool, Use)> {
        let text = format!("server_hostname = \"gate.test\"\n{text}");
        let settings = config::parse(&text, "test", &Surroundings::here()).unwrap().settings;
        let wanted = wanted(&settings, keytab).into_iter();
        wanted
            .map(|service| {
                (format!("{}@{}", service.name, service.realm), service.is_held, service.use_)
            })
            .collect()
    }

    #[test]
    fn sites_come_first_and_what_else_the_keytab_has_is_asked_for_too() {
        let keytab = held(&["HTTP/web.test", "HTTP/alias.test", "host/web.test"], "A");
        let named = |name: &str, is_held, used| (name.to_owned(), is_held, used);
        assert_eq!(
            wanted_of("[[site]]\nhost = \"Web.test\"\n[[site]]\nhost = \"new.test\"\n", &keytab),
            [
                named("HTTP/new.test@A", false, Use::Named),
                named("HTTP/web.test@A", true, Use::Named),
                named("HTTP/alias.test@A", true, Use::Spare),
            ]
        );
        assert_eq!(wanted_of("", &keytab)[0], named("HTTP/gate.test@A", false, Use::Own));
    }

    #[test]
    fn a_configured_acceptor_is_the_only_one() {
        let keytab = held(&["HTTP/web.test", "HTTP/alias.test"], "A");
        let acceptor = "[sso.kerberos]\nacceptor = \"HTTP/web.test\"\n";
        assert_eq!(
            wanted_of(acceptor, &keytab),
            [("HTTP/web.test@A".to_owned(), true, Use::Named)]
        );
    }
}

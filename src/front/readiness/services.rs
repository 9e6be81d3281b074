//! The names under which people can reach this gateway with a ticket, as its keytab
//! has them.

use std::collections::BTreeSet;

use crate::krb5::keytab::Keytab;

/// See the module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::front) struct Services {
    hosts: BTreeSet<String>,
    /// Hosts of `HTTP/` names that the domain issues no ticket for.
    unknown: BTreeSet<String>,
}

impl Services {
    /// Reads them from a keytab. A host's own account (`host/web`) stands for `HTTP/web`
    /// too: domain controllers issue tickets for both by one key.
    pub(in crate::front) fn of(keytab: &Keytab) -> Self {
        let host = |principal: &str| {
            let (name, _) = principal.rsplit_once('@')?;
            let (service, host) = name.split_once('/')?;
            let serves = ["http", "host"].iter().any(|known| service.eq_ignore_ascii_case(known));
            (serves && !host.contains('/')).then(|| host.to_ascii_lowercase())
        };
        let hosts = keytab.principals().into_iter().filter_map(host).collect();
        Self { hosts, unknown: BTreeSet::new() }
    }

    /// The same, knowing which of them the domain issues no ticket for.
    pub(in crate::front) fn without(self, unknown: impl IntoIterator<Item = String>) -> Self {
        Self { unknown: unknown.into_iter().collect(), ..self }
    }

    /// Whether any name is known. Else nothing can be said of a name that is missing.
    pub(in crate::front) fn are_named(&self) -> bool {
        !self.hosts.is_empty()
    }

    /// Whether there is a key for this host.
    pub(in crate::front) fn holds(&self, host: &str) -> bool {
        self.hosts.contains(host)
    }

    /// Whether the domain issues no ticket for it, although there is a key.
    pub(in crate::front) fn is_unknown_to_the_domain(&self, host: &str) -> bool {
        self.unknown.contains(host)
    }

    /// The name by which to reach the site instead: the full one of a short name, or the
    /// only one there is. Which of several it is, a stranger is not told.
    pub(in crate::front) fn better_name(&self, host: &str) -> Option<&str> {
        let mut full = self.hosts.iter().filter(|name| name.contains('.'));
        let begins = format!("{host}.");
        if !host.contains(['.', ':']) {
            let mut longer = full.clone().filter(|name| name.starts_with(&begins));
            if let (Some(only), None) = (longer.next(), longer.next()) {
                return Some(only);
            }
        }
        match (full.next(), full.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::services;

    #[test]
    fn names_of_web_services_and_of_the_host_itself_count() {
        let known =
            services(&["HTTP/Web.lab.example@L", "host/srv.lab.example@L", "SRV$@L", "cifs/x@L"]);
        for (host, holds) in
            [("web.lab.example", true), ("srv.lab.example", true), ("x", false), ("srv$", false)]
        {
            assert_eq!(known.holds(host), holds, "{host}");
        }
        assert!(!services(&["SRV$@L"]).are_named());
    }

    #[test]
    fn one_name_is_proposed_and_none_of_several() {
        let one = services(&["HTTP/web.lab.example@L", "HTTP/web@L"]);
        assert_eq!(one.better_name("10.0.0.1"), Some("web.lab.example"));
        let two = services(&["HTTP/web.lab.example@L", "HTTP/mail.lab.example@L"]);
        assert_eq!(two.better_name("10.0.0.1"), None);
        assert_eq!(two.better_name("mail"), Some("mail.lab.example"));
        assert_eq!(two.better_name("other"), None);
    }
}

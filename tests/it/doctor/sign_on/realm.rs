//! Faults of realms and domains.

use super::ntlm::with_ntlm;
use crate::doctor::{Fault, OTHERWISE, Site, says};
use crate::gateway::Setup;
use crate::lab::{realm, winbind};

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "R1",
        what: "`[[core.realm]]` names another realm than the keytab's",
        site: || listing("realm = \"OTHER.EXAMPLE\""),
        check: says(
            &["the keytab's realm {realm} is in no [[core.realm]], which has OTHER.EXAMPLE"],
            &["set realm = \"{realm}\" in [[core.realm]]"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "R2",
        what: "`[[core.realm]]` has the realm in lower case",
        site: || listing(&format!("realm = \"{}\"", realm().name.to_lowercase())),
        check: says(
            &["realm = \"{dns}\"", "Kerberos knows {realm}"],
            &["write realm = \"{realm}\""],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "R3",
        what: "`[[core.realm]]` has the DNS name instead of NTLM's domain",
        site: || domain(&realm().dns),
        check: says(
            &[
                "winbind's own domain is {domain}",
                "domain = \"{dns}\"",
                "nobody can sign on by NTLM",
            ],
            &["set domain = \"{domain}\" in [[core.realm]]"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "R4",
        what: "`[[core.realm]]` has another domain than winbind's",
        site: || domain("OTHERDOM"),
        check: says(
            &["winbind's own domain is {domain}", "domain = \"OTHERDOM\""],
            &["set domain = \"{domain}\" in [[core.realm]]"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "R5",
        what: "krb5.conf has the default realm in lower case",
        site: || {
            let conf = std::fs::read_to_string(&realm().krb5_config_two_realms).unwrap();
            let right = format!("default_realm = {}", realm().name);
            assert!(conf.contains(&right), "{conf}");
            let conf = conf.replace(&right, &right.to_lowercase());
            Site::with(&Setup::default()).krb5_conf(&conf)
        },
        check: says(
            &["default_realm = {dns} in krb5.conf", "the realm is called {realm}"],
            &["write default_realm = {realm} in krb5.conf"],
        ),
        ..OTHERWISE
    },
];

fn listing(line: &str) -> Site {
    Site::with(&Setup { more: format!("[[core.realm]]\n{line}\n"), ..Setup::default() })
}

fn domain(domain: &str) -> Site {
    let more = format!("[[core.realm]]\nrealm = \"{}\"\ndomain = \"{domain}\"\n", realm().name);
    with_ntlm("", &more).keep(winbind::up())
}

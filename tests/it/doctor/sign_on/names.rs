//! Faults of host names.

use std::io::Write;

use crate::doctor::{Fault, OTHERWISE, Site, says};
use crate::gateway::Setup;
use crate::lab::realm;

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "N1",
        what: "DNS does not know the host of a site",
        site: || at("absent.{dns}"),
        check: says(
            &["absent.{dns} has no address", "DNS does not know it"],
            &["add the name to DNS, or correct"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "N2",
        what: "The address of a site's host has another name (PTR)",
        site: || {
            hosts("10.77.0.2 srv-n2.{dns}");
            hosts("10.77.0.2 web-n2.{dns}");
            at("web-n2.{dns}")
        },
        check: says(
            &["web-n2.{dns} is 10.77.0.2", "ask for a ticket for HTTP/srv-n2.{dns}"],
            &["make the PTR record agree", "rdns = false"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "N3",
        what: "A site's host is an alias of a name that has no key",
        site: || {
            hosts("10.77.0.3 srv-n3.{dns} web-n3.{dns}");
            at("web-n3.{dns}")
        },
        check: says(
            &["web-n3.{dns} is an alias of srv-n3.{dns}", "HTTP/srv-n3.{dns}, for which", "no key"],
            &["instead of a CNAME", "register HTTP/srv-n3.{dns} for the same account"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "N7",
        what: "A site is named by an address",
        site: || at("192.0.2.1"),
        check: says(
            &["192.0.2.1 is an address: Kerberos tickets are for names only"],
            &["give the host a name in DNS"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "N8",
        what: "A site is named by a short name",
        site: || at("localhost"),
        check: says(
            &["localhost is a short name: tickets are for full names"],
            &["let people use the full name"],
        ),
        ..OTHERWISE
    },
];

/// A line for the system's resolver.
fn hosts(line: &str) {
    let file = std::env::var("LAB_HOSTS").unwrap_or_else(|_| "/etc/hosts".to_owned());
    let mut file = std::fs::OpenOptions::new().append(true).open(file).unwrap();
    writeln!(file, "{}", line.replace("{dns}", &realm().dns)).unwrap();
}

fn at(host: &str) -> Site {
    let more = format!("[[site]]\nhost = \"{host}\"\nupstream = \"http://127.0.0.1:1\"\n");
    Site::with(&Setup { more, ..Setup::default() })
}

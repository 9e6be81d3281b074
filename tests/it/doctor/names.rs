//! Faults of host names.

use super::{Fault, OTHERWISE, Site, says};
use crate::gateway::Setup;

pub(super) const FAULTS: &[Fault] = &[
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
        id: "N4",
        what: "A site is named by an address",
        site: || at("192.0.2.1"),
        check: says(
            &["192.0.2.1 is an address: there are Kerberos tickets for names only"],
            &["give the host a name in DNS"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "N6",
        what: "A site is named by a short name",
        site: || at("localhost"),
        check: says(
            &["localhost has no domain: tickets are for full names"],
            &["let browsers come by the full name"],
        ),
        ..OTHERWISE
    },
];

fn at(host: &str) -> Site {
    let more = format!("[[site]]\nhost = \"{host}\"\nupstream = \"http://127.0.0.1:1\"\n");
    Site::with(&Setup { more, ..Setup::default() })
}

//! Faults of the configuration file.

use crate::doctor::{Fault, OTHERWISE, Site, cause, says};
use crate::gateway::Setup;

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "F1",
        what: "A key is unknown, or in the wrong section",
        site: || Site::of("[front]\nlisten_tsl = [\"127.0.0.1:0\"]\n"),
        check: says(&["{dir}/doorward.toml", "listen_tsl"], &["listen_tls"]),
        ..OTHERWISE
    },
    Fault {
        id: "F2",
        what: "A value has the wrong type, or no unit",
        site: || Site::of("[front]\nidle_timeout = 30\n"),
        check: says(
            &["{dir}/doorward.toml", "idle_timeout"],
            &["write it with its unit and in quotes"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "F3",
        what: "Two sites have the same host and path",
        site: || {
            let site = "[[site]]\nhost = \"a.example\"\nupstream = \"http://127.0.0.1:1\"\n";
            Site::of(&format!("{site}{site}"))
        },
        check: says(
            &["{dir}/doorward.toml:5:1", "the same host and path as the site on line 2"],
            &["change or remove one"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "F4",
        what: "A network is not valid",
        site: || Site::of("[front]\ntrusted_proxies = [\"10.0.0.0/33\"]\n"),
        check: says(&["{dir}/doorward.toml", "10.0.0.0/33"], &["10.0.0.0/8"]),
        ..OTHERWISE
    },
    Fault {
        id: "F6",
        what: "A bracket is missing",
        site: || Site::of("[front]\nlisten = [\"127.0.0.1:0\"\n\n[sso]\nmechanisms = []\n"),
        check: says(
            &["{dir}/doorward.toml:3:10: ", "the list that begins here has no ]"],
            &["add it"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "N5",
        what: "A site's host is misspelled",
        site: || {
            let config = Setup::default().config(1);
            Site::of(&config.replace("host = \"*\"", "host = \"wbe.{dns}\""))
        },
        check: says(
            &["wbe.{dns} has no address", "DNS does not know it"],
            &["add the name to DNS, or correct"],
        ),
        probe: cause(&["no_site", "the host {host}"]),
        page: cause(&["No site is configured for the host {host}"]),
        log: cause(&["no [[site]] for host {host}", "there are sites for wbe.{dns}"]),
        ..OTHERWISE
    },
];

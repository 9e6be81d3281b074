//! Faults of the way from the front to the core.

use crate::doctor::{Fault, OTHERWISE, Site, says};
use crate::lab::{Doorward, Pki, realm};

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "U1",
        what: "The front looks for the core's socket at another path",
        site: || front("core = \"unix:{dir}/elsewhere.sock\"", ""),
        check: says(
            &["the core at", "{dir}/elsewhere.sock does not answer"],
            &["start the core (doorward core)", "[front] core"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "U2",
        what: "The core does not know the front's account",
        site: || {
            let core = Doorward::core("[core]\nlisten = \"unix:{dir}/core.sock\"\n");
            let socket = core.core_socket();
            let site = front(&format!("core = \"unix:{}\"", socket.display()), "");
            site.prepend("run_as_user = \"nobody\"\n").keep(core)
        },
        check: says(
            &["accepts this user (uid 65534) as nobody, not as a front"],
            &["add it to [core] front_users (front_users = [\"nobody\"])"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "U5",
        what: "The core's certificate is from an authority that the front does not trust",
        site: || {
            let (pki, core) = remote("role = \"front\"");
            pki.authority("stranger");
            by_tls(pki, core, &realm().host("web"), "stranger.crt")
        },
        check: says(
            &["is not trusted"],
            &["name the authority of the core's certificate in server_ssl_ca_file"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "U6",
        what: "The core's certificate is for another name",
        site: || {
            let (pki, core) = remote("role = \"front\"");
            by_tls(pki, core, "localhost", "ca.crt")
        },
        check: says(&["is not trusted"], &["use a host name that is in the certificate"]),
        ..OTHERWISE
    },
    Fault {
        id: "U7",
        what: "The core treats the front's key as a program's",
        site: || {
            let (pki, core) = remote("act_as = [\"*\"]");
            by_tls(pki, core, &realm().host("web"), "ca.crt")
        },
        check: says(
            &["accepts this user (key gate-public.pem) as *, not as a front"],
            &["set role = \"front\"", "([[core.key]] file = \"gate-public.pem\")"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "U8",
        what: "The core does not know the front's key",
        site: || {
            let (pki, core) = remote("role = \"front\"");
            pki.client("stranger");
            pki.unlist("stranger");
            by_tls(pki, core, &realm().host("web"), "ca.crt").replace("gate.pem", "stranger.pem")
        },
        check: says(
            &["refuses this front", "is not in the core's sslkeys_path"],
            &["put the public key of [front] sslkey_file into the core's sslkeys_path"],
        ),
        ..OTHERWISE
    },
];

/// A front alone.
fn front(core: &str, more: &str) -> Site {
    Site::of(&format!(
        "[front]\nlisten = [\"127.0.0.1:0\"]\nlisten_status = \"127.0.0.1:0\"\n{core}\n{more}\n\
         [sso]\nmechanisms = [\"negotiate\"]\n[sso.kerberos]\nkeytab = \"{}\"\n\
         [[site]]\nupstream = \"http://127.0.0.1:1\"\n",
        realm().web_keytab.display()
    ))
}

/// A core by TLS, with a key for the front.
fn remote(rights: &str) -> (Pki, Doorward) {
    let pki = Pki::new();
    pki.client("gate");
    let config = pki.core(&format!("[[core.key]]\nfile = \"gate-public.pem\"\n{rights}\n"));
    let core = Doorward::core(&config);
    (pki, core)
}

fn by_tls(pki: Pki, core: Doorward, host: &str, authority: &str) -> Site {
    let address = format!("core = \"https://{host}:{}\"", core.core_port());
    let files = format!(
        "sslkey_file = \"{}\"\nserver_ssl_ca_file = \"{}\"",
        pki.text("gate.pem"),
        pki.text(authority)
    );
    front(&address, &files).keep((pki, core))
}

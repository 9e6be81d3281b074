//! Faults of whoever comes: their machine, their browser, the way by which they come. No
//! check of the gateway's can see them.

use crate::doctor::{Fault, OTHERWISE, Site, cause, says};
use crate::gateway::{Setup, web};
use crate::lab::servers::{self, Server};
use crate::lab::{Pki, Ticket, free_port, realm};

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "H1",
        what: "A proxy refuses header fields as large as the ticket of a user in many groups",
        site: || {
            let (config, port) = at_a_port();
            let nginx = proxy(port, "large_client_header_buffers 4 8k;", "");
            let url = format!("http://{}:{}/", web(), nginx.port);
            Site::of(&config).url(&url).ticket(Some(realm().ticket("dora"))).keep(nginx)
        },
        probe: says(&["400 Bad Request comes from nginx"], &["large_client_header_buffers 4 128k"]),
        ..OTHERWISE
    },
    Fault {
        id: "M2",
        what: "The client's ticket is older than the keytab",
        site: || {
            let service = realm().add_service("doctor-m2");
            let ticket = realm().fresh_ticket("alice", &[]).unwrap();
            ticket.tokens(&service.host, 1);
            let keytab = Some(realm().rotate_key(&service));
            let site = Site::with(&Setup { keytab, ..Setup::default() });
            site.host(&service.host).ticket(Some(ticket))
        },
        probe: says(&["key_version"], &["sign off and on"]),
        page: says(&["not in the gateway's keytab"], &["sign off and on"]),
        log: says(&["kvno 3", "has kvno 4"], &["klist purge"]),
        ..OTHERWISE
    },
    Fault {
        id: "N4",
        what: "People use the site's address, or a short name",
        site: || {
            let site = Site::with(&Setup::default()).ticket(None);
            site.url("http://127.0.0.1:{http}/")
        },
        page: says(&["You used the address 127.0.0.1", "for names only"], &["Use "]),
        log: cause(&["no_credentials", "127.0.0.1/"]),
        ..OTHERWISE
    },
    Fault {
        id: "N6",
        what: "The client's krb5.conf changes the name of the site",
        site: || {
            let site = Site::with(&Setup::default());
            let sound = std::fs::read_to_string(&realm().krb5_config).unwrap();
            let renaming = sound
                .replace("rdns = false", "rdns = true")
                .replace("dns_canonicalize_hostname = false", "dns_canonicalize_hostname = true");
            let file = site.write("client-krb5.conf", renaming);
            site.client_env("KRB5_CONFIG", file.to_str().unwrap())
        },
        probe: says(
            &["you asked for {host}", "krb5.conf turned it into"],
            &["rdns = false", "dns_canonicalize_hostname = false"],
        ),
        page: says(&["no Kerberos ticket"], &["kvno HTTP/{host}"]),
        ..OTHERWISE
    },
    Fault {
        id: "T1",
        what: "The client's clock is ten minutes ahead",
        site: || Site::with(&Setup::default()).ticket(Some(with_service())).client_clock("+10m"),
        probe: says(
            &["this machine's clock says", "10 min 0", "ahead of it"],
            &["set both by the domain's time"],
        ),
        page: says(
            &["your machine's clock is wrong", "agrees with the domain's"],
            &["set it by the domain's time"],
        ),
        log: says(
            &["clock_skew", "This gateway's clock says", "the domain controller's"],
            &["set the client's clock"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "T2",
        what: "The client's clock is ten minutes behind",
        site: || Site::with(&Setup::default()).ticket(Some(with_service())).client_clock("-10m"),
        probe: says(
            &["this machine's clock says", "10 min 0", "behind it", "is not valid yet"],
            &["Set it by the domain's time"],
        ),
        page: says(&["no Kerberos ticket"], &["kvno HTTP/{host}"]),
        ..OTHERWISE
    },
    Fault {
        id: "T6",
        what: "The client has no ticket",
        site: || Site::with(&Setup::default()).ticket(None),
        probe: says(&["you have no Kerberos ticket"], &["run kinit"]),
        page: says(&["no Kerberos ticket", "signed on to the domain"], &["after kinit"]),
        ..OTHERWISE
    },
    Fault {
        id: "W11",
        what: "The browser sends NTLM, because it found no ticket for the site",
        site: || {
            let site = Site::with(&Setup::default()).ticket(None);
            site.header(&format!("Authorization: Negotiate {NTLM}"))
        },
        page: says(&["Your program sent NTLM"], &["intranet zone", "service principal"]),
        log: cause(&["ntlm_sent"]),
        ..OTHERWISE
    },
    Fault {
        id: "W12",
        what: "The browser's policy does not list the site",
        site: || Site::with(&Setup::default()).ticket(None),
        page: says(
            &["only to sites on its list of trusted sites"],
            &[
                "AuthServerAllowlist = {host}",
                "network.negotiate-auth.trusted-uris = http://{host}",
                "Local intranet: http://{host}",
            ],
        ),
        log: cause(&["not signed on", "no_credentials"]),
        ..OTHERWISE
    },
    Fault {
        id: "X2",
        what: "A proxy does not pass on Host",
        site: || {
            let (config, port) = at_a_port();
            let config = config.replace("host = \"*\"", "host = \"web.lab.example\"");
            let nginx = servers::nginx(&format!(
                "server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass http://127.0.0.1:{port}; }} }}"
            ));
            let url = format!("http://{}:{}/", web(), nginx.port);
            Site::of(&config).url(&url).keep(nginx)
        },
        probe: says(&["no_site", "the host 127.0.0.1"], &["proxy_set_header Host"]),
        page: says(&["the host 127.0.0.1"], &["proxy_set_header Host"]),
        log: says(&["no_site", "web.lab.example"], &["proxy_set_header Host"]),
        ..OTHERWISE
    },
    Fault {
        id: "X3",
        what: "A proxy that asks by forward-auth is not in trusted_proxies",
        site: || {
            let (config, port) = at_a_port();
            let nginx = servers::nginx(&format!(
                "server {{ listen 127.0.0.1:{{port}}; location / {{ proxy_pass \
                 http://127.0.0.1:{port}/.doorward/auth; proxy_set_header Host $http_host;\n\
                 proxy_set_header X-Original-URI $request_uri; }} }}"
            ));
            let url = format!("http://{}:{}/", web(), nginx.port);
            Site::of(&config).url(&url).keep(nginx)
        },
        probe: says(&["untrusted_proxy", "came from 127.0.0.1"], &["trusted_proxies"]),
        page: says(&["came from 127.0.0.1"], &["trusted_proxies"]),
        log: says(
            &["untrusted_proxy", "It came from 127.0.0.1"],
            &["trusted_proxies = [\"127.0.0.1\"]"],
        ),
        ready: says(
            &["127.0.0.1 sends X-Original-URI"],
            &["trusted_proxies = [\\\"127.0.0.1\\\"]"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "X6",
        what: "A password comes through a proxy that ends TLS and is not in trusted_proxies",
        site: || {
            let setup = Setup { sso: "mechanisms = [\"basic\"]", ..Setup::default() };
            let site = Site::with(&setup).ticket(None);
            site.header("X-Forwarded-Proto: https").header("Authorization: Basic YTpi")
        },
        page: says(
            &["A password came from 127.0.0.1", "is not in trusted_proxies"],
            &["list it in trusted_proxies"],
        ),
        log: says(
            &[
                "127.0.0.1 sends X-Forwarded-Proto: https",
                "passwords count as sent over plain HTTP",
            ],
            &["trusted_proxies = [\"127.0.0.1\"]"],
        ),
        ready: says(
            &["127.0.0.1 sends X-Forwarded-Proto: https"],
            &["trusted_proxies = [\\\"127.0.0.1\\\"]"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "X5",
        what: "A proxy that ends TLS is not in trusted_proxies, and people sign on",
        site: || {
            let pki = Pki::new();
            let (config, port) = at_a_port();
            let tls = format!(
                "ssl_certificate {}; ssl_certificate_key {};",
                pki.text("core.crt"),
                pki.text("core.key")
            );
            let nginx = proxy(port, &format!("large_client_header_buffers 4 128k; {tls}"), " ssl");
            let url = format!("https://{}:{}/", web(), nginx.port);
            let config = config.replace("channel_binding", "# channel_binding");
            let off = config.replacen("[sso]\n", "[sso]\nchannel_binding = \"off\"\n", 1);
            Site::of(&off).url(&url).keep((nginx, pki))
        },
        probe: says(&["WITHOUT __Host-", "not in its trusted_proxies"], &["list it there"]),
        log: says(
            &["127.0.0.1 sends X-Forwarded-Proto: https", "cookies are not marked Secure"],
            &["trusted_proxies = [\"127.0.0.1\"]"],
        ),
        ready: says(
            &["127.0.0.1 sends X-Forwarded-Proto: https"],
            &["trusted_proxies = [\\\"127.0.0.1\\\"]"],
        ),
        ..OTHERWISE
    },
];

/// The first message of NTLM.
const NTLM: &str = "TlRMTVNTUAABAAAAB4IIogAAAAAAAAAAAAAAAAAAAAAGAbEdAAAADw==";

/// The usual settings, with plain HTTP at a port that is known before.
fn at_a_port() -> (String, u16) {
    let port = free_port();
    let config = Setup::default().config(Site::app_port());
    let listen = "listen = [\"127.0.0.1:0\"]";
    (config.replacen(listen, &format!("listen = [\"127.0.0.1:{port}\"]"), 1), port)
}

/// nginx before the gateway, as its documents tell.
fn proxy(port: u16, lines: &str, how: &str) -> Server {
    servers::nginx(&format!(
        "server {{ listen 127.0.0.1:{{port}}{how}; {lines}\n\
         location / {{ proxy_pass http://127.0.0.1:{port}; proxy_set_header Host $http_host;\n\
         proxy_set_header X-Forwarded-Proto $scheme; }} }}"
    ))
}

/// A ticket, and one for the site in the same cache: the KDC would refuse a wrong clock.
fn with_service() -> Ticket {
    let ticket = realm().fresh_ticket("alice", &[]).unwrap();
    ticket.tokens(&web(), 1);
    ticket
}

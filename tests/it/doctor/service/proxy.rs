//! Faults of proxies before the gateway.

use crate::doctor::{Fault, OTHERWISE, Site, says};
use crate::gateway::{Setup, web};
use crate::lab::http::Raw;
use crate::lab::realm::TokenOptions;
use crate::lab::{Doorward, curl, free_port, realm};

pub(in crate::doctor) const FAULTS: &[Fault] = &[
    Fault {
        id: "B1",
        what: "Something opens TLS between the client and the gateway",
        site: || {
            beside_a_running_gateway(|gateway| {
                let binding = Some(b"tls-server-end-point:another certificate".to_vec());
                let options = TokenOptions { binding, ..TokenOptions::default() };
                let token = realm().ticket("alice").tokens_with(&web(), 1, &options).remove(0);
                let header = format!("Authorization: Negotiate {token}");
                let answer = curl(None, &["--insecure", "-H", &header, &gateway.https_url("/")]);
                assert_eq!(answer.status, 401);
            })
        },
        check: says(
            &["refused sign-ons for binding_mismatch since its start: 1", "opens TLS"],
            &["list it in [front] trusted_proxies", "let it pass TLS through"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "B2",
        what: "Bindings are required, but the gateway listens for plain HTTP",
        site: || {
            let sso = "channel_binding = \"require\"";
            Site::with(&Setup { sso, ..Setup::default() })
        },
        check: says(
            &["channel_binding = \"require\" is set for all hosts", "(plain HTTP)"],
            &["with https:// only", "channel_binding = \"allow\""],
        ),
        probe: says(&["plain HTTP"], &["Use https://"]),
        page: says(&["you used plain HTTP"], &["Use https://"]),
        ..OTHERWISE
    },
    Fault {
        id: "H3",
        what: "max_header_bytes is too small for tickets",
        site: || {
            let front = "max_header_bytes = 8192";
            Site::with(&Setup { front, ..Setup::default() })
        },
        check: says(
            &["max_header_bytes is 8192", "would get 431"],
            &["max_header_bytes = 163840", "at least 65536"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "X1",
        what: "A proxy that ends TLS is not in trusted_proxies",
        site: || {
            let config = Setup::default().config(1);
            Site::of(&config.replace("listen_tls = [\"127.0.0.1:0\"]\n", ""))
        },
        check: says(
            &["listens only for plain HTTP", "trusted_proxies is empty"],
            &["list its address in [front] trusted_proxies"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "X7",
        what: "A proxy that asks by forward-auth is not in trusted_proxies, seen by the running gateway",
        site: || {
            beside_a_running_gateway(|gateway| {
                let asks = [
                    ("X-Forwarded-Host", "app.lab.example"),
                    ("X-Forwarded-Uri", "/"),
                    ("Connection", "close"),
                ];
                Raw::connect(gateway.http_port()).get(&web(), "/.doorward/auth", &asks);
            })
        },
        check: says(
            &["gateway: ", "127.0.0.1 sends X-Forwarded-", "is not in trusted_proxies"],
            &["[front] trusted_proxies = [\"127.0.0.1\"]"],
        ),
        ..OTHERWISE
    },
    Fault {
        id: "X4",
        what: "A proxy that says https is not in trusted_proxies, beside a listener on TLS",
        site: || {
            beside_a_running_gateway(|gateway| {
                let forwarded = [("X-Forwarded-Proto", "https"), ("Connection", "close")];
                Raw::connect(gateway.http_port()).get(&web(), "/", &forwarded);
            })
        },
        check: says(
            &["127.0.0.1 sends X-Forwarded-Proto: https", "is not in trusted_proxies"],
            &["[front] trusted_proxies = [\"127.0.0.1\"]"],
        ),
        ..OTHERWISE
    },
];

/// A site whose gateway runs, and has met something.
fn beside_a_running_gateway(meets: impl FnOnce(&Doorward)) -> Site {
    let status = format!("listen_status = \"127.0.0.1:{}\"", free_port());
    let config = Setup::default().config(1).replace("listen_status = \"127.0.0.1:0\"", &status);
    let gateway = Doorward::serve(&config);
    meets(&gateway);
    Site::of(&config).keep(gateway)
}

//! Faults of proxies before the gateway.

use super::{Fault, OTHERWISE, Site, says};
use crate::gateway::Setup;

pub(super) const FAULTS: &[Fault] = &[
    Fault {
        id: "B2",
        what: "Bindings are required where plain HTTP is listened for",
        site: || {
            let sso = "channel_binding = \"require\"";
            Site::with(&Setup { sso, ..Setup::default() })
        },
        check: says(
            &["channel_binding = \"require\" holds for all hosts", "(plain HTTP)"],
            &["by https:// only", "channel_binding = \"allow\""],
        ),
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
            &["max_header_bytes is 8192", "answered 431"],
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
            &["only plain HTTP is listened for", "trusted_proxies is empty"],
            &["list its address in [front] trusted_proxies"],
        ),
        ..OTHERWISE
    },
];

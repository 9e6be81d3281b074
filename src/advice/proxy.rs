//! Proxies before the gateway.

/// A proxy that nobody listed ends TLS before the gateway, perhaps.
pub const LIST: &str = "if a proxy ends TLS before the gateway, list its address in [front] trusted_proxies; otherwise listen by HTTPS (listen_tls)";

/// A sign-on has to be bound to TLS, and the listener has none.
pub const BOUND: &str =
    "let people reach the site by https:// only, or set channel_binding = \"allow\"";

/// A proxy that nobody listed tells of clients.
pub fn unlisted(address: &str) -> String {
    format!(
        "if {address} is your proxy, list it in [front] trusted_proxies; if not, somebody tries to pass for another client"
    )
}

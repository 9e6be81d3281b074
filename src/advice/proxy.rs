//! Proxies in front of the gateway.

/// A proxy that nobody listed ends TLS before the gateway, perhaps.
pub(crate) const LIST: &str = "if a proxy ends TLS in front of the gateway, list its address in [front] trusted_proxies; otherwise listen for HTTPS (listen_tls)";

/// A sign-on has to be bound to TLS, and the listener has none.
pub(crate) const BOUND: &str =
    "let people use the site with https:// only, or set channel_binding = \"allow\"";

/// Tokens come that were made for another TLS connection.
pub(crate) const BETWEEN: &str = "if a proxy of yours opens TLS in front of the gateway, list it in [front] trusted_proxies and set channel_binding = \"allow\", or let it pass TLS through; the log has the addresses (reason binding_mismatch)";

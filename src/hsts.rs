//! HTTP Strict Transport Security (RFC 6797), of the front and of the core's API.

/// The value of `Strict-Transport-Security`: no plain HTTP with this host, for a year.
pub(crate) const ONE_YEAR: &str = "max-age=31536000";

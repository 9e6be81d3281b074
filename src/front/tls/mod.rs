//! TLS of the front.

//! TLS, as front, core and commands speak it.

mod core;
mod server;
mod verifier;

pub(crate) use self::core::CoreTrust;
pub(crate) use server::server_config;
pub(crate) use verifier::{ServerVerifier, TrustServer};

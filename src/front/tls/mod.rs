//! TLS of the front: key and certificate, and the channel binding that follows
//! from the certificate.
//!
//! [`ServerTls`] never changes. A reload makes another one for new connections; a connection keeps
//! the one that it began with, and so the right binding.

mod binding;
mod clients;
mod configured;
mod error;
mod handshake;
mod self_signed;
mod server;
#[cfg(test)]
mod testing;

pub(crate) use binding::server_end_point;
pub(in crate::front) use configured::configured;
pub(crate) use error::TlsError;
pub(super) use handshake::{Asked, Handshake, handshake};
pub(crate) use server::ServerTls;

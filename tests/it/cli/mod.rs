//! The commands beside the service.

mod admin;
mod cert;
mod check;
mod probe;

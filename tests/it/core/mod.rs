//! The core as its peers meet it.

mod api;
mod peers;
mod remote;
pub(crate) mod tls;
mod trusted_application;
mod trusted_names;

//! The front: speaks TCP, TLS and HTTP, and finds out who is there.

pub mod body;
pub mod core_link;
pub mod mechanism;
mod secret_file;
pub mod tls;
pub mod upstream;

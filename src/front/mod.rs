//! The front: speaks TCP, TLS and HTTP, and finds out who is there.

pub mod core_link;
pub mod mechanism;
pub mod tls;
pub mod upstream;

//! The doors of the core: its unix socket and its TLS. They read requests, ask the
//! desk, and write answers.

mod answer;
pub(in crate::core_server) mod api;
pub(in crate::core_server) mod serve;
pub(in crate::core_server) mod socket;
pub(in crate::core_server) mod tls;

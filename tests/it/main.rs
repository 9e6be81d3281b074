//! Doorward from outside: real clients, a real realm, real servers around it.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "nobody uses these files from outside; a test may panic"
)]

#[path = "../lab/mod.rs"]
mod lab;

mod activation;
mod admin;
mod architecture;
mod bindings;
mod certificates_cmd;
mod check;
mod check_ntlm;
mod connections;
mod core_api;
mod core_tls;
mod crash;
mod doctor;
mod documented_proxies;
mod faults;
mod forward_auth;
mod front_certificates;
mod full_disk;
mod gateway;
mod headers;
mod holes;
mod junk;
mod keytabs;
mod names;
mod ntlm;
mod ntlm_bindings;
mod ntlm_connection;
mod ntlm_gateway;
mod ntlm_helpers;
mod ntlm_http2;
mod ntlm_lab;
mod ntlm_lifetime;
mod ntlm_load;
mod ntlm_names;
mod ntlm_refusals;
mod openapi;
mod packaging;
mod password_limits;
mod passwords;
mod peers;
mod privileges;
mod probe;
mod probe_ntlm;
mod process;
mod proxying;
mod realm;
mod refusals;
mod remote_core;
mod sessions;
mod sign_on;
mod trusted_application;
mod trusted_names;

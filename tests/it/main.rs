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

mod architecture;
mod certificate;
mod cli;
mod core;
mod doctor;
mod faults;
mod gateway;
mod holes;
mod kerberos;
mod ntlm;
mod openapi;
mod password;
mod process;
mod proxy;
mod sessions;

//! Doorward: an authentication and single sign-on gateway.
//!
//! A **front** authenticates clients; a **core** decides who may come in and stores the sessions;
//! web applications behind the front receive a proven identity.
//!
//! ```text
//! client ─▶ front: listen ─▶ connection ─▶ door ─▶ sign_on ─▶ mechanism ══ Proof ══▶ core_link
//!                                                                              ║ wire
//! application ◀── upstream ◀══ Grant ══ core_link ◀═ core_server: request ◀─ desk ◀─ door
//! ```
//!
//! Four types carry a login, and each can be made only from the one before:
//! [`mechanism::Proof`] → [`identity::Identity`] → [`core_server::request::admit::Admission`]
//! → [`front::core_link::Grant`] → identity headers.

mod advice;
mod audit;
pub mod cli;
pub mod clock;
mod config;
mod core_client;
mod core_server;
mod front;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod hsts;
mod identity;
mod krb5;
mod legible;
mod mechanism;
mod metrics;
mod pki;
mod process;
mod schedule;
mod wire;

pub use wire::Reason;

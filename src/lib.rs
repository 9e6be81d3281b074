//! Doorward: an authentication and single sign-on gateway.
//!
//! A **front** finds out who is there; a **core** decides who may come in and
//! keeps the sessions; web applications behind the front get a proven identity.
//!
//! ```text
//! client ─TCP─▶ listen ─▶ tls ─▶ connection ─HTTP─▶ http ─▶ mechanism ══ Proof ══▶ core_link
//!   ▲                                                ▲                              │ wire
//!   │                                                │                              ▼
//!   └────────── answer / upstream ◀══ Grant ═════════╧═══════════ core_server: admit ◀─ identity ◀─ Proof
//!                    │                                                  │
//!                    ▼                                                  ▼
//!             web application                                         store
//! ```
//!
//! Four types carry a login, and each can be made only from the one before:
//! [`front::mechanism::Proof`] → [`identity::Identity`] → [`core_server::admit::Admission`]
//! → [`front::core_link::Grant`] → identity headers.

pub mod advice;
pub mod audit;
pub mod cli;
pub mod clock;
pub mod config;
pub mod core_server;
pub mod front;
pub mod identity;
pub mod kdc;
pub mod keytab;
pub mod legible;
pub mod metrics;
pub mod pac;
pub mod pki;
pub mod process;
pub mod schedule;
pub mod store;
pub mod wire;

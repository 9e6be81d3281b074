//! Samba's `ntlm_auth`, which asks winbind whether a client's answer is right.
//!
//! ```text
//! Pool ─▶ Verifier ─▶ Helpers (who has which) ─▶ commands ─▶ Process ═ pipes ═ ntlm_auth ─▶ winbind
//!            │           ▲                           └ dialogue: bytes ↔ values
//!            │           └ supervisor: one task a helper, starts it and starts it again
//!            ├ health: is winbind there, and may we ask it
//!            └ winbind: whose name was proven, by wbinfo where the name does not say
//! ```
//!
//! A helper that does anything but answer exactly what it was asked is ended:
//! one answer too many would be read by the next client.

pub(crate) mod dialogue;
mod failure;
mod health;
mod metrics;
mod pool;
mod process;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod values;
mod verifier;
mod winbind;

pub(crate) use dialogue::server_1::Question;
pub(crate) use failure::Failure;
pub(crate) use metrics::NtlmMetrics;
pub(crate) use pool::Pool;
pub(crate) use pool::helpers::Reservation;
pub(crate) use values::{Account, Attempt, LogonKey, Names, Opened};

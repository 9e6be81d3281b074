//! The way to the applications: what the client claimed is deleted, what was
//! proven is set, and bytes pass in both directions without being kept.
//!
//! ```text
//! request ─▶ headers (delete) ─▶ forwarded ─▶ identity + assertion (set) ─▶ proxy ─▶ pool ─▶ link ─▶ application
//! answer  ◀─ headers (delete) ◀─ body ◀────────────────────────────────────────────────────┘  └─ upgrade (tunnel)
//! ```

mod assertion;
mod body;
mod cookies;
mod error;
mod forwarded;
mod headers;
mod identity;
mod link;
mod pool;
mod proxy;
mod stall;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod upgrade;

pub(crate) use assertion::{AssertionError, Assertions};
pub(crate) use body::{AnswerBody, BodyError};
pub(crate) use error::UpstreamError;
pub(crate) use forwarded::{Client, is_forwarding};
pub(crate) use identity::IdentityCache;
pub(crate) use pool::{Application, OddAddress};
pub(crate) use proxy::{Passage, Proxy};

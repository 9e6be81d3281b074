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

pub use assertion::{AssertionError, Assertions};
pub use body::{AnswerBody, BodyError};
pub use error::UpstreamError;
pub use forwarded::{Client, is_forwarding};
pub use headers::HeaderRules;
pub use identity::{IdentityCache, IdentityHeaders, Unsendable};
pub use pool::{Application, OddAddress};
pub use proxy::{Passage, Proxy};

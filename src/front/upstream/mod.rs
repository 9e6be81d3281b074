//! The connection to the applications: deletes what the client claimed, sets what was proven, and
//! passes bytes in both directions without storing them.
//!
//! ```text
//! request ─▶ headers (delete) ─▶ forwarded ─▶ identity + assertion (set) ─▶ proxy ─▶ pool ─▶ connection ─▶ application
//! answer  ◀─ headers (delete) ◀─ body ◀────────────────────────────────────────────────────┘  └─ upgrade (tunnel)
//! ```

mod connection;
mod error;
mod head;
mod proxy;
mod request_body;
mod stall;
#[cfg(test)]
pub(in crate::front) mod testing;
#[cfg(test)]
mod tests;
mod upgrade;

pub(in crate::front) use connection::answer_body::AnswerBody;
pub(crate) use connection::pool::{Application, OddAddress};
pub(in crate::front) use error::{BodyError, UpstreamError};
pub(crate) use head::assertion::AssertionError;
pub(in crate::front) use head::assertion::Assertions;
pub(in crate::front) use proxy::{ForwardContext, Forwarded, Proxy};

//! Why something is refused.

mod denied;
mod error;
pub(crate) mod reason;
pub(crate) mod reference;

pub(crate) use denied::Denied;
pub(crate) use error::{ErrorBody, ErrorWord};
pub use reason::Reason;

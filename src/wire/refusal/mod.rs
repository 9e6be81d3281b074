//! Why something is refused.

mod error;
pub(crate) mod reason;
pub(crate) mod reference;

pub(crate) use error::ErrorBody;
pub use reason::Reason;

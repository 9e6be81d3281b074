//! Bodies as a connection sees them: of requests, and of their answers.

pub(super) mod tracked;
pub(in crate::front) mod upload;

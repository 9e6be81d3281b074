//! What is asked when a session is opened, and the decision.

pub(crate) mod admit;
pub(in crate::core_server) mod wish;

//! The heads of requests and answers that pass the gateway.

pub(in crate::front) mod assertion;
mod cookies;
pub(super) mod rules;

//! The heads of requests and answers on their way through.

pub(in crate::front) mod assertion;
mod cookies;
pub(super) mod rules;

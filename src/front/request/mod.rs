//! What is true of a request before anybody asks who sent it.

pub(in crate::front) mod came;
pub mod facts;
pub(in crate::front) mod reading;
pub mod route;
pub mod unlisted;

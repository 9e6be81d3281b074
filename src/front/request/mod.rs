//! What is true of a request before anybody asks who sent it.

pub(in crate::front) mod came;
pub(crate) mod cookie;
pub(in crate::front) mod facts;
pub(in crate::front) mod header_names;
mod reading;
pub(in crate::front) mod route;
pub(in crate::front) mod unlisted;

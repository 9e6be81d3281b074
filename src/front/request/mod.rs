//! What is true of a request before anybody asks who sent it.

pub(in crate::front) mod came;
pub(in crate::front) mod facts;
pub(in crate::front) mod reading;
pub(in crate::front) mod route;
pub(in crate::front) mod unlisted;

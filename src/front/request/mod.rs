//! What is true of a request before anybody asks who sent it.

pub(in crate::front) mod came;
pub(crate) mod facts;
pub(in crate::front) mod reading;
pub(crate) mod route;
pub(crate) mod unlisted;

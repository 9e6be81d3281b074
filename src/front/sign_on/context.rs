//! A request to be signed on, and its surroundings.

use std::sync::Arc;

use http::HeaderMap;

use crate::front::connection::Connection;
use crate::front::live::Live;
use crate::front::request::facts::Facts;
use crate::front::state::Front;

#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct RequestContext<'a> {
    pub front: &'a Arc<Front>,
    /// What holds for this request.
    pub live: &'a Live,
    /// The connection it came on.
    pub connection: &'a Connection,
    pub headers: &'a HeaderMap,
    /// What is true of it.
    pub facts: &'a Facts,
}

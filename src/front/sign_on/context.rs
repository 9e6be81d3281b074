//! A request that asks to be let in, and everything around it.

use std::sync::Arc;

use http::HeaderMap;

use crate::front::connection::Connection;
use crate::front::request::facts::Facts;
use crate::front::{Front, Live};

/// A request that asks to be let in, and everything around it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Visit<'a> {
    /// The front.
    pub front: &'a Arc<Front>,
    /// What holds for this request.
    pub live: &'a Live,
    /// The connection it came on.
    pub connection: &'a Connection,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// What is true of it.
    pub facts: &'a Facts,
}

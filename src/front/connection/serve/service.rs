//! The service for the requests of a connection. The caller provides it.

use std::error::Error;
use std::future::Future;

use bytes::Bytes;
use http::{Request, Response};
use http_body::Body;

use super::unread::Unread;
use crate::front::connection::Connection;
use crate::front::connection::body::upload::Upload;

/// Answers the requests of connections.
pub(in crate::front) trait Service: Clone + Send + Sync + 'static {
    /// The body of an answer.
    type Answer: Body<Data = Bytes, Error: Into<Box<dyn Error + Send + Sync>>>
        + Unpin
        + Send
        + 'static;

    /// Answers a request, whatever happens.
    fn answer(
        self,
        connection: &Connection,
        request: Request<Upload>,
    ) -> impl Future<Output = Response<Self::Answer>> + Send;

    /// The answer, as HTTP/1.1 writes it, to what could not be read as a request.
    fn answer_unread(&self, unread: &Unread) -> impl Future<Output = Vec<u8>> + Send;
}

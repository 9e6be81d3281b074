//! What an answer needs from its connection, as an extension of the answer.

/// Marks an answer that is not sent: instead the client is told to come back by
/// HTTP/1.1 (`HTTP_1_1_REQUIRED`, RFC 9113 section 7).
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct NeedsHttp1;

/// Marks an answer whose client has to go on on the same connection, whatever
/// is left of its request's body.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct NeedsConnection;

//! The end of a connection on which a client may still be sending. It is closed
//! in stages (RFC 9112 section 9.6): the answer says `Connection: close`, our
//! side is closed, and what arrives is read and dropped for a while. A
//! connection that is closed at once is reset, and the client loses its answer.

use std::sync::Arc;
use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use http::{HeaderValue, Request, Response, StatusCode};
use hyper::body::Incoming;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::needs::NeedsConnection;
use super::service::Service;
use super::unread::Unread;
use super::{Limits, Server};
use crate::front::connection::body::upload::{MAX_FORGOTTEN, Rest, State, Upload, forget};

/// A body that may not have been read to its end when its answer is there.
#[derive(Debug)]
pub(super) struct Unsettled {
    pub(super) rest: Arc<Rest>,
    /// Its length, where the head says it.
    length: Option<usize>,
    /// The client waits to be told before it sends.
    expects: bool,
}

/// A request as it is served, and what is to be settled after it, where it has a body.
pub(super) fn take_in(request: Request<Incoming>) -> (Request<Upload>, Option<Unsettled>) {
    let (head, body) = request.into_parts();
    let (body, rest) = Upload::new(body);
    let unsettled = rest.map(|rest| {
        let length = head.headers.get(CONTENT_LENGTH);
        Unsettled {
            rest,
            length: length.and_then(|length| length.to_str().ok()?.trim().parse().ok()),
            expects: head.headers.contains_key(EXPECT),
        }
    });
    (Request::from_parts(head, body), unsettled)
}

impl Unsettled {
    /// Sees to what was not read of the body. True when the connection ends with the
    /// answer.
    pub(super) async fn settle<B>(self, still: Duration, answer: &mut Response<B>) -> bool {
        let Self { rest, length, expects } = self;
        let body = match rest.state() {
            State::Read => return false,
            // The application answered before it had read everything.
            State::Reading => None,
            State::Left(body) => Some(body),
        };
        let needed = answer.extensions().get::<NeedsConnection>().is_some();
        if let Some(body) = body {
            let bound = if needed { MAX_FORGOTTEN } else { SMALL };
            let stalled = answer.status() == StatusCode::REQUEST_TIMEOUT;
            let fits = !stalled && length.map_or(needed, |length| length <= bound);
            if fits && needed && expects {
                // Told to go on, it sends its body before it looks for an answer.
                forget(body, still, &rest.is_read()).await;
                return false;
            }
            if fits && !expects {
                // The answer does not wait for it.
                let is_read = rest.is_read();
                tokio::spawn(async move { forget(body, still, &is_read).await });
                return false;
            }
        }
        answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        true
    }

    /// Reads and drops a small body that nobody wants, behind an answer over HTTP/2. Else
    /// the stream is reset behind its answer, which loses the answer for a client that
    /// sends still (curl 7.88 does so now and then).
    pub(super) fn settle_stream(self, still: Duration) {
        let Self { rest, length, expects } = self;
        if length.is_some_and(|length| length <= SMALL)
            && !expects
            && let State::Left(body) = rest.state()
        {
            let is_read = rest.is_read();
            tokio::spawn(async move { forget(body, still, &is_read).await });
        }
    }
}

/// Answers what could not be read as a request, and closes.
pub(super) async fn close_unread<S, V>(server: &Server<'_, V>, mut stream: S, unread: &Unread)
where
    S: AsyncRead + AsyncWrite + Unpin,
    V: Service,
{
    let (answer, limits) = (server.service.answer_unread(unread).await, &server.limits);
    let sending = async {
        stream.write_all(&answer).await?;
        stream.shutdown().await
    };
    if let Ok(Ok(())) = timeout(limits.body, sending).await {
        linger(&mut stream, limits).await;
    }
}

/// Reads and drops what a client sends after its last answer.
pub(super) async fn linger<S: AsyncRead + Unpin>(stream: &mut S, limits: &Limits) {
    let still = limits.body.min(LINGER_STILL);
    let reading = async {
        let mut left = MAX_FORGOTTEN;
        let mut dropped = vec![0; 16 * 1024];
        while let Ok(Ok(read)) = timeout(still, stream.read(&mut dropped)).await {
            if read == 0 || read > left {
                return;
            }
            left -= read;
        }
    };
    drop(timeout(LINGER, reading).await);
}

/// A body of this length is rather read than the connection closed for it.
const SMALL: usize = 64 * 1024;
/// The longest that a closed connection is listened to, and the longest without a byte.
const LINGER: Duration = Duration::from_secs(30);
const LINGER_STILL: Duration = Duration::from_secs(5);

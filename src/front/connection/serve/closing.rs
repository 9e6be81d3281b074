//! The end of a connection on which a client may still be sending. It is closed
//! in stages (RFC 9112 section 9.6): the answer says `Connection: close`, our
//! side is closed, and what arrives is read and dropped for a while. A
//! connection that is closed at once is reset, and the client loses its answer.

use std::time::Duration;

use http::header::{CONNECTION, CONTENT_LENGTH, EXPECT};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

use super::Limits;
use crate::front::Front;
use crate::front::answer::NeedsConnection;
use crate::front::body::Body;
use crate::front::connection::body::upload::{MAX_FORGOTTEN, Rest, State, forget};
use crate::front::door::unread::Unread;

/// What a head says of the body behind it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Announced {
    length: Option<usize>,
    /// The client waits to be told before it sends.
    expects: bool,
}

impl Announced {
    pub(super) fn by(headers: &HeaderMap) -> Self {
        let length = headers.get(CONTENT_LENGTH);
        Self {
            length: length.and_then(|length| length.to_str().ok()?.trim().parse().ok()),
            expects: headers.contains_key(EXPECT),
        }
    }
}

/// Sees to a body that was not read to its end although its answer is there.
/// True when the connection ends with the answer.
pub(super) async fn settle(
    rest: &Rest,
    announced: Announced,
    still: Duration,
    answer: &mut Response<Body>,
) -> bool {
    let body = match rest.state() {
        State::Read => return false,
        // The application answered before it had read everything.
        State::Reading => None,
        State::Left(body) => Some(body),
    };
    let Announced { length, expects } = announced;
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
pub(super) fn settle_stream(rest: &Rest, announced: Announced, still: Duration) {
    if announced.length.is_some_and(|length| length <= SMALL)
        && !announced.expects
        && let State::Left(body) = rest.state()
    {
        let is_read = rest.is_read();
        tokio::spawn(async move { forget(body, still, &is_read).await });
    }
}

/// Answers what could not be read as a request, and closes.
pub(super) async fn refuse<S>(front: &Front, mut stream: S, unread: &Unread, limits: &Limits)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let answer = unread.answer(front).await;
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

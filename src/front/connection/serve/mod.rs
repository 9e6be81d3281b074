//! Serves HTTP on one connection, until it ends, stands idle for too long, or
//! the gateway stops.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::timeout;

mod closing;
mod http1;
mod http2;

use super::Connection;
use super::activity::Activity;
use crate::clock;
use crate::front::Front;
use crate::front::door::unread::Unread;
use crate::wire::Reason;

/// What a connection may take and how long it may wait.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct Limits {
    /// Header lines of a request, in bytes.
    pub header_bytes: usize,
    /// Until the first request has arrived.
    pub first_request: Duration,
    /// Between requests.
    pub idle: Duration,
    /// Until a client has taken a part of its answer.
    pub body: Duration,
}

/// Serves a connection by the version of HTTP that its client speaks.
pub(in crate::front) async fn serve<S>(
    front: &Arc<Front>,
    connection: &Arc<Connection>,
    mut stream: S,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let limits = front.live().limits;
    let begun = tokio::select! {
        biased;
        begun = timeout(limits.first_request, begin(&mut stream)) => begun,
        // Nothing was asked, so nothing is owed.
        () = front.stop.cancelled() => return,
    };
    let Ok(Ok(early)) = begun else { return };
    if early == PREFACE {
        Box::pin(http2::serve(front, connection, stream, early, &limits)).await;
    } else if early.first() == Some(&TLS_HANDSHAKE) && !connection.is_tls() {
        let unread = Unread::of(Reason::TlsOnPlainPort, &early, connection.peer);
        closing::refuse(front, stream, &unread, &limits).await;
    } else {
        Box::pin(http1::serve(front, connection, stream, early, &limits)).await;
    }
}

/// Plain HTTP where TLS is spoken: one head is read, and its sender told so.
pub(in crate::front) async fn refuse_plain<S>(
    front: &Arc<Front>,
    connection: &Connection,
    mut stream: S,
) where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let limits = front.live().limits;
    let reading = async {
        let mut head = BytesMut::with_capacity(1024);
        while head.len() < MAX_MISPLACED_HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                break;
            }
        }
        io::Result::Ok(head)
    };
    if let Ok(Ok(head)) = timeout(limits.first_request, reading).await {
        let unread = Unread::of(Reason::PlainOnTlsPort, &head, connection.peer);
        closing::refuse(front, stream, &unread, &limits).await;
    }
}

/// What a client says first: the preface of HTTP/2, or as much as shows that it is none.
async fn begin<S: AsyncRead + Unpin>(stream: &mut S) -> io::Result<Bytes> {
    let mut begin = BytesMut::with_capacity(PREFACE.len());
    while begin.len() < PREFACE.len() && PREFACE.starts_with(&begin) {
        let mut more = [0; PREFACE.len()];
        let room = more.get_mut(begin.len()..).unwrap_or_default();
        let read = stream.read(room).await?;
        if read == 0 {
            break;
        }
        begin.extend_from_slice(room.get(..read).unwrap_or_default());
    }
    Ok(begin.freeze())
}

/// Ends when no request has been open for as long as the limits allow. A peer
/// that dribbles header lines has no open request either.
async fn wait_until_idle(activity: &Activity, limits: &Limits) {
    let mut seen = 0;
    let mut limit = limits.first_request;
    loop {
        clock::pause(limit).await;
        let begun = activity.begun();
        if begun == seen && !activity.is_open() {
            return;
        }
        seen = begun;
        limit = limits.idle;
    }
}

/// Of a client that takes nothing of its answers.
fn stopped_reading(front: &Front, connection: &Connection) {
    front.metrics.connection_ended("stopped_reading");
    tracing::info!(peer = %connection.peer, "a client stopped reading its answer");
}

/// RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The type of the record that a TLS client sends first (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;
/// So much is read of a request that can only be refused.
const MAX_MISPLACED_HEAD: usize = 16 * 1024;

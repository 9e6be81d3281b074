//! Serves HTTP on one connection, until it ends, is idle for too long, or the gateway stops.

use std::future::Future;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

mod closing;
mod http1;
mod http2;
pub(in crate::front) mod needs;
pub(in crate::front) mod service;
pub(in crate::front) mod unread;

use super::Connection;
use super::activity::Activity;
use super::stream::Output;
use crate::clock;
use crate::front::metrics::FrontMetrics;
use crate::wire::Reason;
use service::Service;
use unread::Unread;

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

/// How connections are served.
#[derive(Debug)]
pub(in crate::front) struct Server<'a, V> {
    /// Answers their requests.
    pub service: V,
    pub limits: Limits,
    pub metrics: &'a FrontMetrics,
    /// Fires when the gateway stops.
    pub stop: &'a CancellationToken,
}

impl<V: Service> Server<'_, V> {
    /// Serves a connection by the version of HTTP that its client speaks.
    pub(in crate::front) async fn serve<S>(&self, connection: &Arc<Connection>, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let begun = tokio::select! {
            biased;
            begun = timeout(self.limits.first_request, begin(&mut stream)) => begun,
            // Nothing was asked, so nothing is owed.
            () = self.stop.cancelled() => return,
        };
        let Ok(Ok(early)) = begun else { return };
        if early == PREFACE {
            Box::pin(http2::serve(self, connection, stream, early)).await;
        } else if early.first() == Some(&TLS_HANDSHAKE) && !connection.is_tls() {
            let unread = Unread::of(Reason::TlsOnPlainPort, &early, connection.peer);
            closing::close_unread(self, stream, &unread).await;
        } else {
            Box::pin(http1::serve(self, connection, stream, early)).await;
        }
    }

    /// Plain HTTP where TLS is spoken: one head is read, and its sender told so.
    pub(in crate::front) async fn refuse_plain<S>(&self, peer: IpAddr, mut stream: S)
    where
        S: AsyncRead + AsyncWrite + Unpin,
    {
        let reading = async {
            let mut head = BytesMut::with_capacity(1024);
            while head.len() < MAX_MISPLACED_HEAD && !head.windows(4).any(|end| end == b"\r\n\r\n")
            {
                if stream.read_buf(&mut head).await? == 0 {
                    break;
                }
            }
            io::Result::Ok(head)
        };
        if let Ok(Ok(head)) = timeout(self.limits.first_request, reading).await {
            let unread = Unread::of(Reason::PlainOnTlsPort, &head, peer);
            closing::close_unread(self, stream, &unread).await;
        }
    }

    /// Ends when a connection is to be given up: it was idle for too long, or its client
    /// takes nothing of its answers. `stalled` tells that by another sign.
    async fn give_up(
        &self,
        connection: &Connection,
        output: &Output,
        stalled: impl Future<Output = ()>,
    ) {
        tokio::select! {
            () = wait_until_idle(&connection.activity, &self.limits) => return,
            () = output.wait_until_stalled(self.limits.body) => {}
            () = stalled => {}
        }
        self.metrics.connection_ended("stopped_reading");
        tracing::info!(peer = %connection.peer, "a client stopped reading its answer");
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

/// RFC 9113 section 3.4.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The type of the record that a TLS client sends first (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 22;
/// So much is read of a request that can only be refused.
const MAX_MISPLACED_HEAD: usize = 16 * 1024;

//! Reads the core's server-sent events (WHATWG HTML, section 9.2).

use std::io;
use std::time::Duration;

use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::timeout;

use super::ClientError;
use crate::wire::Event;

/// A stream of events. Dropping it closes the connection.
#[derive(Debug)]
pub(crate) struct Events {
    body: Incoming,
    core: String,
    unread: BytesMut,
}

impl Events {
    pub(super) fn new(body: Incoming, core: String) -> Self {
        Self { body, core, unread: BytesMut::new() }
    }

    /// The next event that is known here. After an error the stream is over: listen anew, and
    /// take whatever was remembered before for doubtful.
    ///
    /// # Errors
    /// [`ClientError::Unreachable`]: the core closed the stream, or has been
    /// silent for longer than its keep-alives allow. [`ClientError::Protocol`].
    pub(crate) async fn next(&mut self) -> Result<Event, ClientError> {
        loop {
            while let Some(end) = self.unread.iter().position(|&byte| byte == b'\n') {
                let line = self.unread.split_to(end + 1);
                let Some(json) = line.strip_prefix(b"data:") else { continue };
                match serde_json::from_slice(json) {
                    Ok(Event::Other) => tracing::debug!("an event of a newer core is ignored"),
                    Ok(event) => return Ok(event),
                    Err(error) => return Err(self.protocol(error.to_string())),
                }
            }
            if self.unread.len() > MAX_LINE {
                return Err(self.protocol("an event without end".to_owned()));
            }
            let frame = match timeout(MAX_SILENCE, self.body.frame()).await {
                Err(_) => return Err(self.unreachable(io::ErrorKind::TimedOut.into())),
                Ok(None) => return Err(self.unreachable(io::ErrorKind::UnexpectedEof.into())),
                Ok(Some(Err(error))) => return Err(self.unreachable(io::Error::other(error))),
                Ok(Some(Ok(frame))) => frame,
            };
            if let Some(data) = frame.data_ref() {
                self.unread.extend_from_slice(data);
            }
        }
    }

    fn unreachable(&self, source: io::Error) -> ClientError {
        ClientError::Unreachable { core: self.core.clone(), source }
    }

    fn protocol(&self, what: String) -> ClientError {
        ClientError::Protocol { core: self.core.clone(), what }
    }
}

/// Three keep-alives missed.
const MAX_SILENCE: Duration = Duration::from_secs(15);
const MAX_LINE: usize = 64 << 10;

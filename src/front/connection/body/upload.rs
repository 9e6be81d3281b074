//! The body of a request. If the answer is ready before the body was read to its end, the
//! connection reads on or announces that it will close: otherwise the client might never see its
//! answer (RFC 9112 section 9.6).

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use tokio::time::timeout;

/// A request's body.
#[derive(Debug)]
pub(in crate::front) struct Upload {
    incoming: Option<Incoming>,
    rest: Option<Arc<Rest>>,
}

/// What is left of a body when its reader is gone.
#[derive(Debug, Default)]
pub(in crate::front) struct Rest {
    is_read: Arc<AtomicBool>,
    left: Mutex<Option<Incoming>>,
}

/// How far a body was read.
#[derive(Debug)]
pub(in crate::front) enum State {
    /// To its end.
    Read,
    /// Somebody reads it still.
    Reading,
    /// Not to its end, and nobody reads it any more.
    Left(Incoming),
}

impl Upload {
    /// A body, and where it will be found when nobody has read it; `None`: it is empty.
    pub(in crate::front) fn new(incoming: Incoming) -> (Self, Option<Arc<Rest>>) {
        let rest = (!incoming.is_end_stream()).then(Arc::default);
        (Self { incoming: Some(incoming), rest: rest.clone() }, rest)
    }

    /// A body that nobody wants back.
    #[cfg(test)]
    pub(in crate::front) fn lone(incoming: Incoming) -> Self {
        Self { incoming: Some(incoming), rest: None }
    }

    fn note_end(&self, frame: &Poll<Option<Result<Frame<Bytes>, hyper::Error>>>) {
        let over = match frame {
            Poll::Ready(Some(Ok(_))) => self.is_end_stream(),
            Poll::Ready(_) => true,
            Poll::Pending => false,
        };
        if over && let Some(rest) = &self.rest {
            rest.is_read.store(true, Ordering::Relaxed);
        }
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let frame = Pin::new(incoming).poll_frame(cx);
        self.note_end(&frame);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.as_ref().map_or(SizeHint::with_exact(0), Incoming::size_hint)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        if let Some(rest) = &self.rest
            && !rest.is_read.load(Ordering::Relaxed)
        {
            *rest.left.lock().unwrap_or_else(PoisonError::into_inner) = self.incoming.take();
        }
    }
}

impl Rest {
    /// Becomes true when the body has been read to its end, whoever reads it.
    pub(in crate::front) fn is_read(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_read)
    }

    /// How far the body was read by now.
    pub(in crate::front) fn state(&self) -> State {
        if self.is_read.load(Ordering::Relaxed) {
            return State::Read;
        }
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner).take();
        left.map_or(State::Reading, State::Left)
    }
}

/// Reads what is left of a body and keeps nothing of it. Within the bounds it
/// comes to its end (`is_read`), and the connection serves the next request; one
/// that does not is left where it is, and the connection ends.
pub(in crate::front) async fn forget<B>(mut body: B, still: Duration, is_read: &AtomicBool)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = MAX_FORGOTTEN;
    let reading = async {
        while let Ok(frame) = timeout(still, body.frame()).await {
            let frame = match frame {
                Some(Ok(frame)) => frame,
                Some(Err(_)) => return,
                None => return is_read.store(true, Ordering::Relaxed),
            };
            let length = frame.data_ref().map_or(0, Bytes::len);
            match left.checked_sub(length.max(1)) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    };
    drop(timeout(still.saturating_mul(PERIODS), reading).await);
}

/// So much of a body is read and dropped before anybody is signed on.
pub(in crate::front) const MAX_FORGOTTEN: usize = 256 * 1024 * 1024;

/// As many times the limit on standing still a body may take that nobody wants.
const PERIODS: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    /// A body of this many parts, which shows whether anybody still has one.
    struct Parts(usize, Arc<[u8; 1024]>);

    impl Body for Parts {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            _: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            assert_eq!(Arc::strong_count(&self.1), 1, "a part is kept");
            let Some(left) = self.0.checked_sub(1) else { return Poll::Ready(None) };
            self.0 = left;
            Poll::Ready(Some(Ok(Frame::data(Bytes::from_owner(Whole(Arc::clone(&self.1)))))))
        }
    }

    struct Whole(Arc<[u8; 1024]>);

    impl AsRef<[u8]> for Whole {
        fn as_ref(&self) -> &[u8] {
            self.0.as_ref()
        }
    }

    #[tokio::test]
    async fn nothing_is_kept_of_a_body_whose_sender_is_not_known_yet() {
        let mut parts = Parts(100, Arc::new([0; 1024]));
        let is_read = AtomicBool::new(false);
        forget(&mut parts, Duration::from_secs(10), &is_read).await;
        assert_eq!((parts.0, is_read.load(Ordering::Relaxed)), (0, true), "it is read to its end");
        let mut endless = Parts(usize::MAX, Arc::new([0; 1024]));
        let is_read = AtomicBool::new(false);
        forget(&mut endless, Duration::from_secs(10), &is_read).await;
        assert!(!is_read.load(Ordering::Relaxed), "it has no end");
        assert_eq!(usize::MAX - endless.0, MAX_FORGOTTEN / 1024 + 1, "it is not read without end");
    }
}

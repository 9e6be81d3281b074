//! A long answer counts as a use of its session for as long as it lasts, as a tunnel does: a
//! client that reads a stream of events is active.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::clock;
use crate::front::core_link::{CoreLink, Grant, REFRESH_AFTER};
use crate::front::upstream::{AnswerBody, BodyError};

/// An application's answer, and the session that it is a use of. A short one costs
/// a look at the clock; a timer exists only while the application is waited for.
#[derive(Debug)]
pub(in crate::front) struct InUse {
    answer: AnswerBody,
    core: Arc<CoreLink>,
    grant: Grant,
    client: IpAddr,
    told_at: Instant,
    timer: Option<Interval>,
}

impl InUse {
    /// An answer to `client`, to whom this was granted.
    pub(in crate::front) fn new(
        answer: AnswerBody,
        core: &Arc<CoreLink>,
        grant: &Grant,
        client: IpAddr,
    ) -> Self {
        Self {
            answer,
            core: Arc::clone(core),
            grant: grant.clone(),
            client,
            told_at: clock::instant(),
            timer: None,
        }
    }

    /// Tells the core that the session is used, when it is time.
    fn tell(&mut self) {
        if self.told_at.elapsed() >= REFRESH_AFTER {
            self.told_at = clock::instant();
            self.core.note_use(self.grant.session().session.clone(), self.client);
        }
    }

    /// Has the task woken when it is time.
    fn wait(&mut self, cx: &mut Context<'_>) {
        let timer = self.timer.get_or_insert_with(|| {
            let mut timer = interval(REFRESH_AFTER);
            timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
            timer.reset();
            timer
        });
        while timer.poll_tick(cx).is_ready() {}
    }
}

impl Body for InUse {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        this.tell();
        let frame = Pin::new(&mut this.answer).poll_frame(cx);
        if frame.is_pending() {
            this.wait(cx);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.answer.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.answer.size_hint()
    }
}

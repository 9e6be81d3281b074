//! Questions that may never be answered, each on a thread of its own.

use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock;

/// A question that is being asked. Its thread is left behind when nobody answers.
pub(in crate::cli::check) struct Asked<T> {
    answer: Receiver<T>,
    begun: Instant,
}

pub(in crate::cli::check) fn ask<T: Send + 'static>(
    question: impl FnOnce() -> T + Send + 'static,
) -> Asked<T> {
    let (told, answer) = mpsc::channel();
    // A thread that does not start is a question without an answer; so is an answer
    // that comes when nobody listens any more.
    let _ = thread::Builder::new().spawn(move || {
        let _ = told.send(question());
    });
    Asked { answer, begun: clock::instant() }
}

impl<T> Asked<T> {
    /// The answer, if it comes in time.
    pub(in crate::cli::check) fn wait(self) -> Option<T> {
        self.answer.recv_timeout(LIMIT.saturating_sub(self.begun.elapsed())).ok()
    }
}

/// How long a question may take, of a KDC at work too. One that does not answer costs this
/// once, since all are asked at the same time.
pub(in crate::cli::check) const LIMIT: Duration = Duration::from_secs(6);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_never_answered_is_waited_for_once() {
        let begun = clock::instant();
        let (_open, never) = mpsc::channel::<()>();
        let waiting = ask(move || never.recv());
        assert_eq!(ask(|| 7).wait(), Some(7));
        assert!(waiting.wait().is_none());
        assert!(begun.elapsed() < LIMIT * 2);
    }
}

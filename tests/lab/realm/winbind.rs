//! The lab's one winbindd, which tests share, and which one of them stops.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use crate::lab::realm;

/// How many tests need winbind; `None` while one has it alone.
static NEEDED: (Mutex<Option<usize>>, Condvar) = (Mutex::new(Some(0)), Condvar::new());

/// Winbind stays up while this lives. A test may hold several.
pub struct Up(());

/// Winbind, with no other test that needs it.
pub struct Alone {
    stopped: bool,
}

/// Keeps winbind running.
pub fn up() -> Up {
    let mut needed = wait_until(Option::is_some);
    *needed = needed.map(|count| count + 1);
    Up(())
}

/// Waits until no other test needs winbind, and has it alone.
pub fn alone() -> Alone {
    *wait_until(|needed| *needed == Some(0)) = None;
    Alone { stopped: false }
}

impl Alone {
    /// Stops it; `ntlm_auth` verifies nobody then.
    #[track_caller]
    pub fn stop(&mut self) {
        realm().winbind("stop");
        self.stopped = true;
    }

    /// Starts it again; `ntlm_auth` verifies then.
    #[track_caller]
    pub fn start(&mut self) {
        realm().winbind("start");
        self.stopped = false;
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let mut needed = lock();
        *needed = needed.map(|count| count - 1);
        NEEDED.1.notify_all();
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if self.stopped {
            self.start();
        }
        *lock() = Some(0);
        NEEDED.1.notify_all();
    }
}

fn wait_until(wanted: impl Fn(&Option<usize>) -> bool) -> MutexGuard<'static, Option<usize>> {
    let mut needed = lock();
    while !wanted(&needed) {
        needed = NEEDED.1.wait(needed).unwrap_or_else(PoisonError::into_inner);
    }
    needed
}

fn lock() -> MutexGuard<'static, Option<usize>> {
    NEEDED.0.lock().unwrap_or_else(PoisonError::into_inner)
}

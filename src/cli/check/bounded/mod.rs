//! Questions that may never be answered, and how long to wait for them.

pub(super) mod program;
pub(super) mod thread;

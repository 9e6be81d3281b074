//! Questions that may never be answered, and for how long they are waited for.

pub(super) mod program;
pub(super) mod thread;

//! The configuration file.

/// A line that cannot be taken, and does not say itself what to do.
pub(crate) const CORRECT_LINE: &str = "correct this line";

/// A warning that says itself what to do.
pub(crate) const AS_IT_SAYS: &str = "as the warning says";

/// `max_header_bytes` is smaller than tickets can be.
pub(crate) const ROOM_FOR_TICKETS: &str =
    "set [front] max_header_bytes = 163840 (the default), or at least 65536";

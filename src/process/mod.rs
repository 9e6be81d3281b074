//! Duties of a long-running process.

//! From a proven principal to a login name: pure functions.

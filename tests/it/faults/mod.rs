//! Inputs that once failed, in files by subject.

mod log;
mod page;
mod probe;
mod readiness;

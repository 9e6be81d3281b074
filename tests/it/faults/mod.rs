//! Inputs that once failed, in files by subject.

mod charsets;
mod forwarding;
mod lasting;

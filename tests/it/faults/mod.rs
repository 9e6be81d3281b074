//! Inputs that once failed, in files by subject.

mod http;
mod service;
mod sign_on;

//! Inputs that once failed, in files by subject.

mod advice;
mod first_start;
mod log;
mod no_domain;
mod ntlm;
mod page;
mod probe;
mod proxied_certificate;
mod readiness;
mod reload;

mod charsets;
mod forwarding;
mod lasting;

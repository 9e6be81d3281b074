//! Inputs that once failed, in files by subject.

mod advice;
mod charsets;
mod first_start;
mod forwarding;
mod lasting;
mod no_domain;
mod proxied_certificate;
mod reload;

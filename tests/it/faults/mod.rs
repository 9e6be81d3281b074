//! Inputs that once failed, in files by subject.
mod advice;
mod first_start;
mod kerberos;
mod no_domain;
mod proxied_certificate;
mod reload;

mod charsets;
mod forwarding;
mod lasting;

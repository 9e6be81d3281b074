//! Inputs that once failed, in files by subject.

mod advice;
mod authorities;
mod core;
mod first_start;
mod krb5_conf;
mod no_domain;
mod proxied_certificate;
mod reload;
mod stop;

mod charsets;
mod forwarding;
mod lasting;

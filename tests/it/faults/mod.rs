//! Inputs that once failed, in files by subject.

mod advice;
mod authorities;
mod charsets;
mod core;
mod first_start;
mod forwarding;
mod kerberos;
mod krb5_conf;
mod lasting;
mod log;
mod no_domain;
mod ntlm;
mod page;
mod probe;
mod proxied_certificate;
mod readiness;
mod reload;
mod stop;

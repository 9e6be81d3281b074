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

mod advice;
mod charsets;
mod first_start;
mod forwarding;
mod kerberos;
mod lasting;
mod log;
mod no_domain;
mod ntlm;
mod page;
mod probe;
mod proxied_certificate;
mod readiness;
mod reload;

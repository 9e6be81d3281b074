//! Inputs that once failed, in files by subject.

mod advice;
mod authorities;
mod charsets;
mod core;
mod early_answers;
mod first_start;
mod forwarding;
mod heads;
mod kerberos;
mod krb5_conf;
mod lasting;
mod listeners;
mod log;
mod loops;
mod names_and_certificates;
mod no_domain;
mod ntlm;
mod ntlm_bodies;
mod odd_answers;
mod page;
mod probe;
mod proxied_certificate;
mod readiness;
mod reload;
mod stop;
mod targets;

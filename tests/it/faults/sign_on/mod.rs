//! Signing on, by any mechanism.

mod authorities;
mod charsets;
mod kerberos;
mod krb5_conf;
mod names_and_certificates;
mod no_domain;
mod ntlm;
mod ntlm_bodies;
mod proxied_certificate;

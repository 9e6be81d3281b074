//! Inputs that once failed, in files by subject.

mod authorities;
mod core;
mod krb5_conf;
mod stop;

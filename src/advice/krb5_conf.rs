//! krb5.conf.

/// The library does not take it.
pub(crate) const CORRECT: &str =
    "correct krb5.conf: krb5.conf(5) describes the file, and krb5-examples has some";

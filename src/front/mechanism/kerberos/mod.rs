//! Kerberos through GSSAPI.

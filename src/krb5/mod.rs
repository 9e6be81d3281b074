//! Kerberos, by MIT's library: accepting tickets, asking KDCs, reading keytabs and PACs.

pub(crate) mod bindings;
pub(crate) mod gss;
pub(crate) mod kdc;
pub(crate) mod keytab;
pub(crate) mod pac;

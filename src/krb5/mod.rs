//! Kerberos, by MIT's library: accepting tickets, asking KDCs, reading keytabs and PACs.

pub(crate) mod accept;
pub(crate) mod kdc;
pub(crate) mod keytab;
pub(crate) mod pac;

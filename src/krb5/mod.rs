//! Kerberos, by MIT's library: accepting tickets, asking KDCs, reading keytabs and PACs.

pub(crate) mod accept;
pub mod kdc;
pub mod keytab;
pub mod pac;

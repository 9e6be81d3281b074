//! What an administrator can do about a fault: one sentence each, in one place, so that the same
//! fault has the same advice everywhere (`doorward check`, the log, `/ready`, the pages, `doorward
//! probe`).
//!
//! A sentence begins in lower case and has no full stop: whoever shows it puts it after `Fix:` or
//! a semicolon. It names the command or the key to change, and it has to work when it is followed:
//! the tests follow it where that can be done.

pub(crate) mod account;
pub(crate) mod application;
pub(crate) mod authority;
pub(crate) mod certificate;
pub(crate) mod configuration;
pub(crate) mod core;
pub(crate) mod kdc;
pub(crate) mod kerberos;
pub(crate) mod key;
pub(crate) mod krb5_conf;
pub(crate) mod name;
pub(crate) mod ntlm;
pub(crate) mod proxy;
pub(crate) mod realm;
pub(crate) mod socket;
pub(crate) mod storage;

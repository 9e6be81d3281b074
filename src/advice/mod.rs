//! What an administrator can do about a fault: one sentence each, in one place,
//! so that the same fault has the same advice wherever it is met (`doorward check`,
//! the log, `/ready`, the pages, `doorward probe`).
//!
//! A sentence begins in lower case and has no full stop: whoever shows it puts it
//! behind `Mend:` or a semicolon. It names the command or the key to change, and
//! it has to work when it is followed: the tests follow it where that can be done.

pub mod account;
pub mod application;
pub mod authority;
pub mod certificate;
pub mod configuration;
pub mod core;
pub mod kdc;
pub mod kerberos;
pub mod key;
pub mod krb5_conf;
pub mod name;
pub mod ntlm;
pub mod proxy;
pub mod realm;
pub mod rights;
pub mod socket;
pub mod storage;

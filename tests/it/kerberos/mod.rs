//! Sign-on with a Kerberos ticket.

pub(crate) mod bindings;
mod junk;
mod keytabs;
mod lab;
mod names;
mod refusals;
mod sign_on;

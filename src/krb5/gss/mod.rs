//! The calls into MIT's GSSAPI. Every handle is owned by a type that releases it;
//! every text is copied before the next call, on the thread that made the error,
//! since MIT keeps error texts per thread.

mod accept;
pub(in crate::krb5) mod buffer;
mod context;
mod credential;
pub(in crate::krb5) mod name;
pub(in crate::krb5) mod oid;
pub(in crate::krb5) mod status;

pub(crate) use accept::{Accepted, Facts};
pub(crate) use context::Context;
pub(crate) use credential::{Credential, Service, Store};
pub(crate) use status::Failure;

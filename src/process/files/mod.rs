//! Files of this host: who may use them, whose they are, whether they changed.

pub(crate) mod access;
pub(crate) mod ownership;
pub(crate) mod reader;
pub(crate) mod rights;
pub(crate) mod stamp;

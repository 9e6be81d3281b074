//! The verbs of the core: everything it does for anybody.

pub(in crate::core_server) mod certified;
pub(in crate::core_server) mod lists;
pub(in crate::core_server) mod sign_on;

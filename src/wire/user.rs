//! Who a session belongs to.

use serde::{Deserialize, Serialize};

/// Who a session belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct User {
    /// The login name, stripped and canonical: `john`.
    pub login: String,
    /// The full name; empty when the directory has none.
    pub name: String,
    /// The mail address; empty when the directory has none.
    pub email: String,
    /// The tenant; empty outside multi-tenancy.
    pub company: String,
    /// Group names, and SIDs (`S-1-5-…`) where only those are known.
    pub groups: Vec<String>,
    /// 0 none, 1 administrator of the own company, 2 of the system (ZCP manual 6.2.6).
    pub admin: u8,
}

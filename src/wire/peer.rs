//! Who a caller is to the core.

use serde::{Deserialize, Serialize};

/// `GET /v1/whoami`: who the core takes the caller for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Whoami {
    /// `unix`, `certificate` or `anonymous`.
    pub peer: String,
    /// The peer's uid, on the unix socket.
    pub uid: Option<u32>,
    /// The file in `sslkeys_path` that holds the peer's key.
    pub key: Option<String>,
    /// `SYSTEM`, `FRONT`, the peer's own account, those its key may act as, or nobody.
    #[serde(rename = "as")]
    pub acting_as: Option<String>,
}

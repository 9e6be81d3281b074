//! A sign-on, as the audit log tells of it.

use std::net::IpAddr;

use crate::core_server::request::SessionRequest;
use crate::wire::{KeyFile, Mechanism};

/// Who wants a session.
#[derive(Clone, Debug)]
pub(in crate::core_server::desk) struct SignOnAttempt {
    pub(in crate::core_server::desk) mechanism: Mechanism,
    pub(in crate::core_server::desk) principal: String,
    pub(in crate::core_server::desk) client: Option<IpAddr>,
    /// Who acts as the session's owner.
    pub(in crate::core_server::desk) impersonator: Option<String>,
    /// As whom they want to act.
    pub(in crate::core_server::desk) act_as: Option<String>,
    /// The file of the key that a certificate was shown for.
    pub(in crate::core_server::desk) key_file: Option<KeyFile>,
}

impl SignOnAttempt {
    pub(super) fn of<R: SessionRequest>(request: &R, client: Option<IpAddr>) -> Self {
        let (mechanism, principal) = request.claims();
        Self {
            mechanism,
            principal: principal.to_owned(),
            client,
            impersonator: None,
            act_as: request.act_as().map(str::to_owned),
            key_file: None,
        }
    }
}

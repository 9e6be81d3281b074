//! A refusal as JSON.

use serde::{Deserialize, Serialize};

use super::Reason;
use crate::wire::Ended;

/// Every refusal of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// A stable word: `logon_failed`, `end_of_session`, `no_access`, `certificate_refused`, `bad_request`, `too_large`, `not_found`, `busy`, `too_many_attempts`, `kdc_unreachable`, `kdc_unproven`, `store_full`, `store_failed`, `audit_failed`.
    pub error: String,
    /// What was wrong and what to do, in a sentence.
    pub message: String,
    /// Stands in the core's log beside the whole story.
    pub reference: String,
    /// Why, told only to peers that proved the identity themselves (fronts), and
    /// to those whose own certificate is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Why and when the session ended that was asked for, where that is still known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

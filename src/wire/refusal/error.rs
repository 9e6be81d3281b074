//! A refusal of the core as JSON.

use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};

use super::Reason;
use super::reference::new_reference;
use crate::wire::word::if_understood;
use crate::wire::{Ended, Word};

macro_rules! errors {
    ($($(#[doc = $doc:literal])* $variant:ident $word:literal $status:ident $reason:ident;)*) => {
        /// The word of a refusal of the core: what programs decide by.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ErrorWord {
            $($(#[doc = $doc])* $variant,)*
        }

        impl ErrorWord {
            /// Every word there is.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in JSON and in the log.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// The status of the core's answer.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }

            /// What it means to who wanted to sign on, where the core tells no reason.
            pub const fn reason(self) -> Reason {
                match self { $(Self::$variant => Reason::$reason),* }
            }
        }
    };
}

// The word; the status of the core's answer; the reason that it stands for.
errors! {
    /// A sign-on is refused. Only the audit log, and fronts, are told why.
    LogonFailed "logon_failed" UNAUTHORIZED LogonFailed;
    /// There is no such session, or it has ended.
    EndOfSession "end_of_session" NOT_FOUND SessionEnded;
    /// The peer may not ask this. To who signs on: this front is none to the core.
    NoAccess "no_access" FORBIDDEN FrontNotAllowed;
    /// The peer's own certificate does not count.
    CertificateRefused "certificate_refused" FORBIDDEN FrontNotAllowed;
    /// The request is not understood.
    BadRequest "bad_request" BAD_REQUEST NotPermitted;
    /// The body is longer than the core reads.
    TooLarge "too_large" PAYLOAD_TOO_LARGE NotPermitted;
    /// There is no such path.
    NotFound "not_found" NOT_FOUND NotPermitted;
    /// The path is there, and not for this method.
    MethodNotAllowed "method_not_allowed" METHOD_NOT_ALLOWED NotPermitted;
    /// Too much is asked at this moment.
    Busy "busy" SERVICE_UNAVAILABLE Busy;
    /// Too many wrong passwords came before.
    TooManyAttempts "too_many_attempts" TOO_MANY_REQUESTS TooManyAttempts;
    /// No KDC answers.
    KdcUnreachable "kdc_unreachable" SERVICE_UNAVAILABLE KdcUnreachable;
    /// A password cannot be checked here.
    KdcUnproven "kdc_unproven" SERVICE_UNAVAILABLE KdcUnproven;
    /// The disk under the session store is full.
    StoreFull "store_full" SERVICE_UNAVAILABLE StoreFull;
    /// The session store cannot be written.
    StoreFailed "store_failed" SERVICE_UNAVAILABLE StoreFailed;
    /// The audit log cannot be written.
    AuditFailed "audit_failed" SERVICE_UNAVAILABLE AuditFailed;
}

impl fmt::Display for ErrorWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Every refusal of the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorBody {
    /// What programs decide by. An unknown one, of a newer core, says only that
    /// something was refused.
    pub error: Word<ErrorWord>,
    /// What was wrong and what to do, in a sentence.
    pub message: String,
    /// Stands in the core's log beside the whole story.
    pub reference: String,
    /// Why, told only to peers that proved the identity themselves (fronts), and
    /// to those whose own certificate is refused.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    pub reason: Option<Reason>,
    /// Why and when the session ended that was asked for, where that is still known.
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "if_understood")]
    pub ended: Option<Ended>,
}

impl ErrorBody {
    /// In place of an answer of a newer core that is not understood here.
    pub(crate) fn of_newer_core() -> Self {
        Self {
            error: Word::Other("not_understood".into()),
            message: "The core sent an answer that this version does not know. Run the same version on both sides."
                .to_owned(),
            reference: new_reference(),
            reason: None,
            ended: None,
        }
    }

    /// Why somebody who wanted to sign on is not: the reason that was told, or else
    /// the one that the word stands for.
    pub(crate) fn reason(&self) -> Reason {
        let meant = || self.error.known().map_or(Reason::NotPermitted, ErrorWord::reason);
        self.reason.unwrap_or_else(meant)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_on_the_wire_is_the_word_in_the_log() {
        for word in ErrorWord::ALL {
            let wire = serde_json::to_string(word).unwrap_or_default();
            assert_eq!(wire, format!("\"{word}\""));
        }
    }
}

//! The refusals of the API.

use std::borrow::Cow;
use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use super::peer::{Peer, Standing};
use super::policy::Ask;
use super::store::WriteError;
use crate::clock;
use crate::process::seldom::Seldom;
use crate::wire::reference::new_reference;
use crate::wire::{Ended, ErrorBody, ErrorWord, Reason};

/// A refusal, under the reference that stands in the log.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) kind: ErrorWord,
    pub(super) reference: String,
    message: Cow<'static, str>,
    told: Option<Reason>,
    ended: Option<Ended>,
    retry_after: Option<Duration>,
}

impl Refusal {
    /// One answer for every refused sign-on, whatever the reason.
    pub(super) fn logon_failed() -> Self {
        let message =
            "The sign-on was refused. The core's audit log has the reason under this reference.";
        Self::new(ErrorWord::LogonFailed, message)
    }

    /// Too many wrong passwords came before this one, which was not looked at.
    pub(super) fn too_many_attempts(retry_after: Duration) -> Self {
        let reason = Reason::TooManyAttempts;
        let refusal = Self::new(ErrorWord::TooManyAttempts, reason.sentence()).telling(reason);
        Self { retry_after: Some(retry_after), ..refusal }
    }

    /// Nobody could say whether a password is right.
    pub(super) fn unable(reason: Reason) -> Self {
        let kind = match reason {
            Reason::KdcUnreachable => ErrorWord::KdcUnreachable,
            Reason::Busy => ErrorWord::Busy,
            _ => ErrorWord::KdcUnproven,
        };
        Self::new(kind, reason.sentence()).telling(reason)
    }

    pub(super) fn end_of_session() -> Self {
        Self::new(
            ErrorWord::EndOfSession,
            "There is no such session, or it has ended. Sign on again.",
        )
    }

    /// A peer asked what it may not: what it is here, and what would change that.
    pub(super) fn no_access(peer: &Peer, ask: Ask) -> Self {
        let what = ask.word();
        let message = match (peer.standing(), peer) {
            (_, Peer::Local { uid, account: None }) if ask == Ask::OpenOwn => format!(
                "uid {uid} may not open a session: it has no account on this host, or \
                 allow_local_users is off in the core's settings."
            ),
            (Standing::Local, _) => format!(
                "{peer} may not {what}: it is a local program, which may only open sessions for \
                 its own account. To allow it, add its account to local_admin_users or front_users \
                 in the core's settings."
            ),
            (Standing::Service, _) => format!(
                "{peer} may not {what}: its [[core.key]] only allows trusted sessions for {}.",
                peer.acting_as().map_or_else(String::new, |users| users.to_string())
            ),
            (Standing::Anonymous, _) => format!(
                "Nobody may {what} without a certificate. Use one whose public key is in the \
                 core's sslkeys_path (curl --cert client.pem)."
            ),
            (Standing::Front | Standing::System, _) => format!(
                "{peer} may not {what}: it is a front, and fronts authenticate clients, but vouch \
                 for nobody."
            ),
        };
        Self::new(ErrorWord::NoAccess, message)
    }

    /// Who acts as somebody else would have to be an administrator.
    pub(super) fn not_administrator() -> Self {
        Self::new(ErrorWord::NoAccess, Reason::NotAdministrator.sentence())
    }

    /// The certificate that was shown does not count.
    pub(super) fn certificate(reason: Reason, certificate: &str) -> Self {
        let message = format!("{} The certificate: {certificate}.", reason.sentence());
        Self::new(ErrorWord::CertificateRefused, message).telling(reason)
    }

    /// Nobody could say in time what a certificate is worth.
    pub(super) fn unjudged() -> Self {
        let message = "The core cannot read the files that it needs to check certificates. Its log says more. Try again in a few seconds.";
        Self::new(ErrorWord::Busy, message)
    }

    /// The secret that a front proposed for a session belongs to another one.
    pub(super) fn secret_taken() -> Self {
        Self::bad_request("Another session already has this \"secret\": make a new one.")
    }

    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorWord::BadRequest, message)
    }

    pub(super) fn too_large(at_most: usize) -> Self {
        let message = format!(
            "The body is too large: the limit is {at_most} bytes. Only peers that may send proofs \
             (SYSTEM and fronts) may send more."
        );
        Self::new(ErrorWord::TooLarge, message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(ErrorWord::NotFound, "The core's API has no such path.")
    }

    pub(super) fn method_not_allowed() -> Self {
        let message = "The core's API has this path, but not with this method; see Allow.";
        Self::new(ErrorWord::MethodNotAllowed, message)
    }

    pub(super) fn unrecorded(error: WriteError) -> Self {
        let (kind, message) = match error {
            WriteError::Busy => (
                ErrorWord::Busy,
                "Too many sessions wait to be recorded. Try again in a few seconds.",
            ),
            WriteError::Full => (
                ErrorWord::StoreFull,
                "The disk under the session store is full. Free space under the core's state_path.",
            ),
            WriteError::Failed => (
                ErrorWord::StoreFailed,
                "The session store cannot be written. The core's log says why.",
            ),
        };
        Self::new(kind, message)
    }

    /// The line that must stand in the audit log does not.
    pub(super) fn unaudited() -> Self {
        let reason = Reason::AuditFailed;
        Self::new(ErrorWord::AuditFailed, reason.sentence()).telling(reason)
    }

    /// The same for another one, under a reference of its own.
    pub(super) fn again(other: &Self) -> Self {
        Self {
            kind: other.kind,
            reference: new_reference(),
            message: other.message.clone(),
            told: other.told,
            ended: other.ended,
            retry_after: other.retry_after,
        }
    }

    /// Tells the peer the reason, too.
    pub(super) fn telling(self, reason: Reason) -> Self {
        Self { told: Some(reason), ..self }
    }

    /// Tells the former bearer of a session why it ended, where that is known.
    pub(super) fn because(self, ended: Option<Ended>) -> Self {
        Self { ended, ..self }
    }

    pub(super) fn into_body(self) -> ErrorBody {
        ErrorBody {
            error: self.kind.into(),
            message: self.message.into_owned(),
            reference: self.reference,
            reason: self.told,
            ended: self.ended,
        }
    }

    fn new(kind: ErrorWord, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            kind,
            reference: new_reference(),
            message: message.into(),
            told: None,
            ended: None,
            retry_after: None,
        }
    }
}

static ODD: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

/// Says it in the log, and answers.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (reference, error) = (&self.reference, self.kind.as_str());
        match self.kind {
            ErrorWord::BadRequest
            | ErrorWord::TooLarge
            | ErrorWord::NotFound
            | ErrorWord::MethodNotAllowed => match ODD.due(error, clock::instant()) {
                Some(since_the_last) => {
                    tracing::warn!(%reference, error, since_the_last, "{}", self.message);
                }
                None => tracing::info!(%reference, error, "{}", self.message),
            },
            // An ordinary end of a session, and what the audit log tells better.
            _ => tracing::debug!(%reference, error, "refused"),
        }
        let (status, retry_after) = (self.kind.status(), self.retry_after);
        let mut response = (status, Json(self.into_body())).into_response();
        if let Some(time) = retry_after {
            // A second more than it takes rather than one less.
            let seconds = HeaderValue::from(time.as_secs() + 1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

//! What the core answers instead of what it was asked for: values, which the
//! doors write down.

use std::borrow::Cow;
use std::time::Duration;

use super::peer::{Peer, PeerKind};
use super::rights::Action;
use super::store::WriteError;
use crate::wire::reference::new_reference;
use crate::wire::{Denied, Ended, ErrorBody, ErrorWord, Reason};

/// A refusal, under the reference that is in the log.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) word: ErrorWord,
    pub(super) reference: String,
    pub(super) message: Cow<'static, str>,
    /// After which time it is worth asking again.
    pub(super) retry_after: Option<Duration>,
    told: Option<Reason>,
    ended: Option<Ended>,
}

/// The word for a reason. What is not about rights, about sessions or about what
/// cannot be done at this moment is about who signs on, and told to nobody.
const fn word_of(reason: Reason) -> ErrorWord {
    match reason {
        Reason::NotPermitted | Reason::NotAdministrator => ErrorWord::NoAccess,
        Reason::SessionEnded | Reason::AddressChanged => ErrorWord::EndOfSession,
        Reason::Busy => ErrorWord::Busy,
        Reason::TooManyAttempts => ErrorWord::TooManyAttempts,
        Reason::KdcUnreachable => ErrorWord::KdcUnreachable,
        Reason::StoreFull => ErrorWord::StoreFull,
        Reason::StoreFailed => ErrorWord::StoreFailed,
        Reason::AuditFailed => ErrorWord::AuditFailed,
        // Nobody could say whether the password is right.
        Reason::KdcUnproven
        | Reason::PasswordUnchecked
        | Reason::KerberosConfiguration
        | Reason::KerberosFailure
        | Reason::KeytabUnreadable => ErrorWord::KdcUnproven,
        // Why somebody is not signed on.
        Reason::NoCredentials
        | Reason::NoCertificate
        | Reason::EmptyToken
        | Reason::UnknownScheme
        | Reason::ManyAuthorizations
        | Reason::BadBase64
        | Reason::TokenTooLarge
        | Reason::NtlmSent
        | Reason::WrongMechanism
        | Reason::DefectiveToken
        | Reason::LogonFailed
        | Reason::NtlmTooOld
        | Reason::NtlmAnonymous
        | Reason::NtlmTampered
        | Reason::NtlmNeedsHttp1
        | Reason::NtlmUnnamed
        | Reason::Replay
        | Reason::TicketExpired
        | Reason::TicketNotYetValid
        | Reason::ClockSkew
        | Reason::BindingMismatch
        | Reason::BindingMissing
        | Reason::WrongPrincipal
        | Reason::ExchangeOpen
        | Reason::ExchangeInterrupted
        | Reason::ExchangeTooLong
        | Reason::ExchangeNeedsConnection
        | Reason::AmbiguousPath
        | Reason::ForwardedConflict
        | Reason::OddHost
        | Reason::HostMissing
        | Reason::OddPath
        | Reason::MethodNotServed
        | Reason::HeadMalformed
        | Reason::HeadTooLarge
        | Reason::TargetTooLong
        | Reason::TransferCoding
        | Reason::PlainOnTlsPort
        | Reason::TlsOnPlainPort
        | Reason::Misdirected
        | Reason::LoopDetected
        | Reason::NoSite
        | Reason::RequestBroken
        | Reason::CrossSite
        | Reason::SsoDisabled
        | Reason::UntrustedProxy
        | Reason::KeyVersion
        | Reason::KeyMissing
        | Reason::KeyEncryption
        | Reason::KeyWrong
        | Reason::ReplayCacheFailed
        | Reason::FrontNotAllowed
        | Reason::BadBasic
        | Reason::BasicNeedsTls
        | Reason::EmptyPassword
        | Reason::PasswordTooLong
        | Reason::WrongPassword
        | Reason::UnknownUser
        | Reason::AccountDisabled
        | Reason::PasswordExpired
        | Reason::NtlmTarget
        | Reason::NtlmHelperFailed
        | Reason::WinbindRights
        | Reason::WinbindTrust
        | Reason::WinbindClock
        | Reason::WinbindDown
        | Reason::RealmNotAllowed
        | Reason::OddPrincipal
        | Reason::PacMissing
        | Reason::AccountConflict
        | Reason::ComputerAccount
        | Reason::UpnMissing
        | Reason::ReservedName
        | Reason::RequirementNotMet
        | Reason::NoSession
        | Reason::SeveralSessions
        | Reason::CookieUnreadable
        | Reason::PublicKeyTooShort
        | Reason::PublicKeyAlgorithm
        | Reason::PublicKeyNotListed
        | Reason::PublicKeyRemoved
        | Reason::PublicKeyExpired
        | Reason::PublicKeyNoEntry
        | Reason::PublicKeyNoUser
        | Reason::PublicKeyAddress
        | Reason::PublicKeyScope
        | Reason::CertificateNoChain
        | Reason::CertificateAuthority
        | Reason::CertificateNotShown
        | Reason::CertificateByProxy
        | Reason::CertificateSelfSigned
        | Reason::CertificateExpired
        | Reason::CertificateNotYetValid
        | Reason::CertificateRevoked
        | Reason::CertificatePurpose
        | Reason::CertificateForm
        | Reason::CrlOutdated
        | Reason::CrlMissing
        | Reason::ApplicationDown
        | Reason::ApplicationBroken
        | Reason::ApplicationSlow
        | Reason::CoreUnreachable => ErrorWord::LogonFailed,
    }
}

/// The word for a sign-on that is refused: one for every reason, so that nobody
/// learns by asking who exists. Who acts as somebody else is admitted already.
const fn word_of_sign_on(reason: Reason) -> ErrorWord {
    if matches!(reason, Reason::NotAdministrator) {
        ErrorWord::NoAccess
    } else {
        ErrorWord::LogonFailed
    }
}

impl Refusal {
    /// What cannot be done at this moment, and why.
    pub(super) fn of(reason: Reason) -> Self {
        Self::new(word_of(reason), reason.sentence()).with_reason(reason)
    }

    /// A refused sign-on. `told`: the peer proves who is there, and learns the reason.
    pub(super) fn of_sign_on(reason: Reason, told: bool) -> Self {
        let refusal = match word_of_sign_on(reason) {
            word @ ErrorWord::LogonFailed => Self::new(
                word,
                "The sign-on was refused. The core's audit log has the reason under this reference.",
            ),
            word => Self::new(word, reason.sentence()),
        };
        if told { refusal.with_reason(reason) } else { refusal }
    }

    /// Too many wrong passwords came before this one, which was not looked at.
    pub(super) fn too_many_attempts(retry_after: Duration) -> Self {
        Self { retry_after: Some(retry_after), ..Self::of(Reason::TooManyAttempts) }
    }

    pub(super) fn end_of_session() -> Self {
        Self::new(
            ErrorWord::EndOfSession,
            "There is no such session, or it has ended. Sign on again.",
        )
    }

    /// A peer asked what it may not: what it is here, and what would change that.
    pub(super) fn no_access(peer: &Peer, denied: &Denied) -> Self {
        let what = denied.detail.as_str();
        let message = match (peer.kind(), peer) {
            (_, Peer::Local { uid, account: None }) if what == Action::OpenOwn.word() => format!(
                "uid {uid} may not open a session: it has no account on this host, or \
                 allow_local_users is off in the core's settings."
            ),
            (PeerKind::Local, _) => format!(
                "{peer} may not {what}: it is a local program, which may only open sessions for its \
                 own account. To allow it, add its account to local_admin_users or front_users in \
                 the core's settings."
            ),
            (PeerKind::Service, _) => format!(
                "{peer} may not {what}: its [[core.key]] only allows trusted sessions for {}.",
                peer.acting_as().map_or_else(String::new, |users| users.to_string())
            ),
            (PeerKind::Anonymous, _) => format!(
                "Nobody may {what} without a certificate. Use one whose public key is in the core's \
                 sslkeys_path (curl --cert client.pem)."
            ),
            (PeerKind::Front | PeerKind::System, _) => format!(
                "{peer} may not {what}: it is a front, and fronts authenticate clients, but vouch \
                 for nobody."
            ),
        };
        Self::new(word_of(denied.reason), message)
    }

    /// The certificate that was shown does not count.
    pub(super) fn certificate(denied: &Denied, certificate: &str) -> Self {
        let message = format!("{} The certificate: {certificate}.", denied.reason.sentence());
        Self::new(ErrorWord::CertificateRefused, message).with_reason(denied.reason)
    }

    /// Nobody could say in time what a certificate is worth.
    pub(super) fn unjudged() -> Self {
        let message = "The core cannot read the files that it needs to check certificates. Its log \
                       says more. Try again in a few seconds.";
        Self::new(ErrorWord::Busy, message)
    }

    /// The secret that a front proposed for a session belongs to another one.
    pub(super) fn secret_taken() -> Self {
        Self::bad_request("Another session already has this \"secret\": make a new one.")
    }

    pub(super) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(ErrorWord::BadRequest, message)
    }

    /// What was decided is not on the disk.
    pub(super) fn unrecorded(error: WriteError) -> Self {
        let message = match error {
            WriteError::Busy => {
                "Too many sessions wait to be recorded. Try again in a few seconds."
            }
            WriteError::Full => {
                "The disk under the session store is full. Free space under the core's state_path."
            }
            WriteError::Failed => "The session store cannot be written. The core's log says why.",
        };
        Self::new(word_of(error.reason()), message)
    }

    /// Tells the peer the reason, too.
    pub(super) fn with_reason(self, reason: Reason) -> Self {
        Self { told: Some(reason), ..self }
    }

    /// Tells the former bearer of a session why it ended, where that is known.
    pub(super) fn because(self, ended: Option<Ended>) -> Self {
        Self { ended, ..self }
    }

    /// As it is written on the wire.
    pub(super) fn into_body(self) -> ErrorBody {
        ErrorBody {
            error: self.word.into(),
            message: self.message.into_owned(),
            reference: self.reference,
            reason: self.told,
            ended: self.ended,
        }
    }

    pub(super) fn new(word: ErrorWord, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            word,
            reference: new_reference(),
            message: message.into(),
            told: None,
            ended: None,
            retry_after: None,
        }
    }
}

impl WriteError {
    /// The word in the audit log.
    pub(super) const fn reason(self) -> Reason {
        match self {
            Self::Busy => Reason::Busy,
            Self::Full => Reason::StoreFull,
            Self::Failed => Reason::StoreFailed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_sign_on_is_one_word_and_one_sentence_whatever_the_reason() {
        for reason in Reason::ALL {
            let refusal = Refusal::of_sign_on(*reason, false);
            let hidden = Refusal::of_sign_on(Reason::UnknownUser, false);
            if *reason == Reason::NotAdministrator {
                assert_eq!(refusal.word, ErrorWord::NoAccess);
            } else {
                assert_eq!((refusal.word, refusal.message), (hidden.word, hidden.message));
            }
            assert_eq!(refusal.told, None);
        }
    }
}

//! Which status fits a reason, and what stands over its page.

use http::StatusCode;

use crate::wire::Reason;

/// The status that fits a reason.
pub(in crate::front) fn status_of(reason: Reason) -> StatusCode {
    match reason {
        Reason::BadBase64
        | Reason::BadBasic
        | Reason::ManyAuthorizations
        | Reason::AmbiguousPath
        | Reason::OddHost
        | Reason::HostMissing
        | Reason::OddPath
        | Reason::CookieUnreadable
        | Reason::ForwardedConflict
        | Reason::HeadMalformed
        | Reason::PlainOnTlsPort
        | Reason::TlsOnPlainPort => StatusCode::BAD_REQUEST,
        Reason::TokenTooLarge | Reason::HeadTooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
        Reason::TargetTooLong => StatusCode::URI_TOO_LONG,
        Reason::TransferCoding => StatusCode::NOT_IMPLEMENTED,
        Reason::Misdirected => StatusCode::MISDIRECTED_REQUEST,
        Reason::LoopDetected => StatusCode::LOOP_DETECTED,
        Reason::MethodNotServed => StatusCode::METHOD_NOT_ALLOWED,
        Reason::NoSite => StatusCode::NOT_FOUND,
        Reason::RequirementNotMet
        | Reason::SsoDisabled
        | Reason::UntrustedProxy
        | Reason::BasicNeedsTls
        | Reason::CrossSite => StatusCode::FORBIDDEN,
        Reason::TooManyAttempts => StatusCode::TOO_MANY_REQUESTS,
        Reason::Busy
        | Reason::KdcUnreachable
        | Reason::KdcUnproven
        | Reason::PasswordUnchecked
        | Reason::AuditFailed
        | Reason::StoreFull
        | Reason::StoreFailed
        | Reason::CoreUnreachable
        | Reason::FrontNotAllowed
        | Reason::KeytabUnreadable
        | Reason::ReplayCacheFailed
        | Reason::NtlmHelperFailed
        | Reason::WinbindRights
        | Reason::WinbindDown
        | Reason::WinbindTrust
        | Reason::WinbindClock
        | Reason::KerberosConfiguration => StatusCode::SERVICE_UNAVAILABLE,
        Reason::ApplicationDown | Reason::ApplicationBroken => StatusCode::BAD_GATEWAY,
        Reason::ApplicationSlow => StatusCode::GATEWAY_TIMEOUT,
        _ => StatusCode::UNAUTHORIZED,
    }
}

/// The heading of a page of that status.
pub(in crate::front) fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "You are not signed on",
        StatusCode::FORBIDDEN => "You may not use this",
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => "The application does not answer",
        StatusCode::LOOP_DETECTED => "The gateway leads back to itself",
        StatusCode::TOO_MANY_REQUESTS => "Too many wrong passwords",
        StatusCode::SERVICE_UNAVAILABLE => "Signing on does not work now",
        _ => "The request cannot be served",
    }
}

//! The title of the page for a status.

use http::StatusCode;

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

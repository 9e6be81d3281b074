//! Why a request did not reach its application, or its answer did not reach the client.

use std::error::Error as _;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode, Uri};
use thiserror::Error;

use crate::front::core_link::Unsendable;
use crate::wire::Reason;

/// Why there is no answer to pass on.
#[derive(Debug, Error)]
pub(in crate::front) enum UpstreamError {
    /// Nobody listens, or the name is unknown.
    #[error(
        "the application at {address} cannot be reached: {source}; is it running, and is site.upstream right?"
    )]
    Connect { address: Arc<str>, source: io::Error },
    /// The connection was not accepted in time.
    #[error(
        "the application at {address} did not accept a connection within {limit:?} (front.connect_timeout)"
    )]
    ConnectTimeout { address: Arc<str>, limit: Duration },
    /// The answer did not begin in time.
    #[error(
        "the application at {address} did not begin its answer within {limit:?} (front.answer_timeout)"
    )]
    AnswerTimeout { address: Arc<str>, limit: Duration },
    /// The connection ended before the answer's head, or the head is not HTTP.
    #[error(
        "the application at {address} broke off before its answer: {source}; its log should say why"
    )]
    Broken { address: Arc<str>, source: hyper::Error },
    /// The head of the answer breaks the rules of HTTP.
    #[error("the head of the application's answer at {address} is not valid HTTP: {fault}")]
    OddHead {
        address: Arc<str>,
        /// What is wrong, and with which line.
        fault: String,
    },
    /// The answer's body comes in a coding that is not known here.
    #[error(
        "the application at {address} answered in the unknown transfer coding {coding}: let it use Content-Encoding"
    )]
    Coding { address: Arc<str>, coding: String },
    /// A switch of protocols that the client did not ask for.
    #[error("the application at {address} switched to a protocol that was not asked for")]
    UnaskedUpgrade { address: Arc<str> },
    /// No site names this application.
    #[error("no application is known at {0}: the settings have changed; try again")]
    Unknown(Uri),
    /// The client's request could not be read to its end.
    #[error("the client's request broke off: {0}")]
    Request(hyper::Error),
    /// The client's request stood still.
    #[error("the client sent nothing of its request for {0:?} (front.body_timeout)")]
    RequestStalled(Duration),
    /// The client's request took too long.
    #[error("the client's request took longer than {0:?} (in proportion to front.body_timeout)")]
    RequestDribbled(Duration),
    /// A method that would make a tunnel of the gateway, or show its headers to the client.
    #[error("the method {0} is not passed on to applications")]
    Method(Method),
    /// The user cannot be told to an application.
    #[error(transparent)]
    Unsendable(#[from] Unsendable),
}

/// Why a body broke off.
#[derive(Debug, Error)]
pub(in crate::front) enum BodyError {
    /// The client went away, or sent what is no body.
    #[error("the client's request broke off: {0}")]
    Client(hyper::Error),
    /// The client stood still.
    #[error("the client sent nothing of its request for {} s (front.body_timeout)", .0.as_secs())]
    ClientStalled(Duration),
    /// The client sent a byte now and then.
    #[error(
        "the client's request of {length} bytes took longer than {} s (in proportion to front.body_timeout)",
        limit.as_secs()
    )]
    ClientDribbled {
        /// Of the body.
        length: u64,
        limit: Duration,
    },
    /// The application went away, or sent what is no body.
    #[error(
        "the answer of the application at {address} broke off: {source}; its log should say why"
    )]
    Application { address: Arc<str>, source: hyper::Error },
    /// The application stood still.
    #[error(
        "the application at {address} sent nothing of its answer for {} s (front.body_timeout)",
        limit.as_secs()
    )]
    ApplicationStalled { address: Arc<str>, limit: Duration },
}

impl UpstreamError {
    /// The word in metrics and logs.
    pub(in crate::front) const fn label(&self) -> &'static str {
        match self {
            Self::Connect { .. } => "application_down",
            Self::ConnectTimeout { .. } | Self::AnswerTimeout { .. } => "application_slow",
            Self::Broken { .. }
            | Self::OddHead { .. }
            | Self::Coding { .. }
            | Self::UnaskedUpgrade { .. } => "application_broken",
            Self::Unknown(_) => "application_unknown",
            Self::Request(_) => "request_broken",
            Self::RequestStalled(_) | Self::RequestDribbled(_) => "request_slow",
            Self::Method(_) => "method_refused",
            Self::Unsendable(_) => "identity_unsendable",
        }
    }

    /// The status that says it (RFC 9110 section 15).
    pub(in crate::front) const fn status(&self) -> StatusCode {
        match self {
            Self::Connect { .. }
            | Self::Broken { .. }
            | Self::OddHead { .. }
            | Self::Coding { .. }
            | Self::UnaskedUpgrade { .. } => StatusCode::BAD_GATEWAY,
            Self::ConnectTimeout { .. } | Self::AnswerTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::Unknown(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Request(_) => StatusCode::BAD_REQUEST,
            Self::RequestStalled(_) | Self::RequestDribbled(_) => StatusCode::REQUEST_TIMEOUT,
            Self::Method(_) => StatusCode::NOT_IMPLEMENTED,
            Self::Unsendable(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What the person is told.
    pub(in crate::front) const fn reason(&self) -> Reason {
        match self {
            Self::Connect { .. }
            | Self::Broken { .. }
            | Self::UnaskedUpgrade { .. }
            | Self::Unknown(_) => Reason::ApplicationDown,
            Self::OddHead { .. } | Self::Coding { .. } => Reason::ApplicationBroken,
            Self::ConnectTimeout { .. } | Self::AnswerTimeout { .. } => Reason::ApplicationSlow,
            Self::Request(_) | Self::RequestStalled(_) | Self::RequestDribbled(_) => {
                Reason::RequestBroken
            }
            Self::Method(_) => Reason::MethodNotServed,
            Self::Unsendable(_) => Reason::OddPrincipal,
        }
    }
}

/// What it means that an exchange with the application at `address` broke.
/// hyper tells a fault of the client as an error of the body that it was given.
pub(super) fn broken(address: &Arc<str>, error: hyper::Error) -> UpstreamError {
    match error.source().and_then(|source| source.downcast_ref()) {
        Some(BodyError::ClientStalled(limit)) => UpstreamError::RequestStalled(*limit),
        Some(BodyError::ClientDribbled { limit, .. }) => UpstreamError::RequestDribbled(*limit),
        Some(_) => UpstreamError::Request(error),
        None => UpstreamError::Broken { address: Arc::clone(address), source: error },
    }
}

/// Whether a connection simply was no longer there, as idle ones go.
pub(super) fn is_gone(error: &hyper::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    let is_io = |error: &io::Error| {
        matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
    };
    error.is_incomplete_message()
        || error.is_canceled()
        || error.is_closed()
        || error.source().and_then(|source| source.downcast_ref()).is_some_and(is_io)
}

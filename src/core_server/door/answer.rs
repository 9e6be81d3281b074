//! Refusals as HTTP answers.

use std::time::Duration;

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, header};

use crate::clock;
use crate::core_server::refusal::Refusal;
use crate::process::seldom::Seldom;
use crate::wire::ErrorWord;

/// Says it in the log, and answers.
impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (reference, error) = (&self.reference, self.word.as_str());
        match self.word {
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
        let (status, retry_after) = (self.word.status(), self.retry_after);
        let mut response = (status, Json(self.into_body())).into_response();
        if let Some(time) = retry_after {
            // A second more than it takes rather than one less.
            let seconds = HeaderValue::from(time.as_secs() + 1);
            response.headers_mut().insert(header::RETRY_AFTER, seconds);
        }
        response
    }
}

static ODD: Seldom<&'static str> = Seldom::new(Duration::from_secs(60), 64);

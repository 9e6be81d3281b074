//! Answers input that could not be read as a request.

use http::header::{CONNECTION, CONTENT_LENGTH, DATE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::BodyExt as _;

use crate::clock;
use crate::front::answer::Answerer;
use crate::front::answer::body::Body;
use crate::front::connection::serve::unread::Unread;
use crate::front::request::came::Came;
use crate::front::sign_on::Refusal;
use crate::front::state::Front;

/// The answer as it is sent, with all that is to be recorded of it.
pub(super) async fn answer(front: &Front, unread: &Unread) -> Vec<u8> {
    let Unread { reason, detail, known } = unread;
    let answerer = Answerer::new(front, known, Came::read(known), clock::instant());
    let answer = answerer.refuse(&Refusal::new(*reason).with_detail(detail), None);
    front.metrics.head_refused(*reason);
    front.metrics.answered(answer.status());
    written(answer, known.method() != Method::HEAD).await
}

/// An answer as HTTP/1.1 writes it; the connection ends with it.
async fn written(answer: Response<Body>, with_body: bool) -> Vec<u8> {
    let (mut head, body) = answer.into_parts();
    let body = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    head.headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
    head.headers.insert(CONNECTION, HeaderValue::from_static("close"));
    if let Some(date) = date() {
        head.headers.insert(DATE, date);
    }
    let mut bytes = format!("HTTP/1.1 {} {}\r\n", head.status.as_u16(), phrase(head.status));
    for (name, value) in &head.headers {
        bytes.push_str(&format!("{name}: {}\r\n", String::from_utf8_lossy(value.as_bytes())));
    }
    bytes.push_str("\r\n");
    let mut bytes = bytes.into_bytes();
    if with_body {
        bytes.extend_from_slice(&body);
    }
    bytes
}

fn phrase(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Refused")
}

/// RFC 9110 section 5.6.7.
fn date() -> Option<HeaderValue> {
    let format = time::macros::format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let text = clock::now().date_time()?.format(format).ok()?;
    HeaderValue::from_str(&text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_dated_as_http_wants_it() {
        let date = date().unwrap();
        let text = date.to_str().unwrap();
        assert_eq!(text.len(), "Sun, 06 Nov 1994 08:49:37 GMT".len(), "{text}");
    }
}

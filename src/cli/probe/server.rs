//! Who answered, and what time it is there. Pure functions on header fields and bodies.

use http::{StatusCode, header};
use time::PrimitiveDateTime;
use time::macros::format_description;

use super::connection::Answer;
use super::offer;
use crate::clock::Timestamp;

/// What the answer says of the program that gave it, where that is no Doorward, which
/// explains what it refuses, and does not name itself.
pub(super) fn named(answer: &Answer) -> Option<String> {
    if offer::explanation(&answer.body).is_some() {
        return None;
    }
    let name = answer.headers.get(header::SERVER)?.to_str().ok()?.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// The title of a page, which servers write the reason of an error into.
pub(super) fn title(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body.get(..LONGEST_HEAD).unwrap_or(body));
    let lower = text.to_ascii_lowercase();
    let begin = lower.find("<title>")? + "<title>".len();
    let end = begin + lower.get(begin..)?.find("</title>")?;
    let title = text.get(begin..end)?.split_whitespace().collect::<Vec<_>>().join(" ");
    (!title.is_empty()).then_some(title)
}

/// What lets this server take larger header fields.
pub(super) fn larger_fields(server: &str) -> &'static str {
    let server = server.to_ascii_lowercase();
    let knows = |name: &str| server.contains(name);
    if knows("nginx") || knows("openresty") {
        "set there: large_client_header_buffers 4 128k;"
    } else if knows("apache") {
        "set there: LimitRequestFieldSize 131072"
    } else if knows("haproxy") {
        "set there: tune.bufsize 131072 (global)"
    } else if knows("envoy") {
        "set there: max_request_headers_kb: 128"
    } else if knows("microsoft") {
        "set there: MaxFieldLength and MaxRequestBytes of HTTP.sys"
    } else {
        "let it accept header fields of 128 KB"
    }
}

/// Whether an application of this site complains that it was spoken to in plain HTTP.
pub(super) fn wants_tls(answer: &Answer) -> bool {
    let body = String::from_utf8_lossy(&answer.body).to_ascii_lowercase();
    answer.status == StatusCode::BAD_REQUEST
        && [
            "plain http request was sent to https",
            "speaking plain http to an ssl",
            "http request to an https server",
        ]
        .iter()
        .any(|words| body.contains(words))
}

/// The server's clock, by its `Date` (RFC 9110, 6.6.1).
pub(super) fn date(answer: &Answer) -> Option<Timestamp> {
    let text = answer.headers.get(header::DATE)?.to_str().ok()?;
    let form = format_description!(
        "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT"
    );
    let moment = PrimitiveDateTime::parse(text, form).ok()?.assume_utc();
    u64::try_from(moment.unix_timestamp()).ok().map(Timestamp::from_unix)
}

/// A title stands near the beginning.
const LONGEST_HEAD: usize = 4096;

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn answer(fields: &[(header::HeaderName, &str)], body: &str) -> Answer {
        let headers: HeaderMap =
            fields.iter().map(|(name, value)| (name.clone(), value.parse().unwrap())).collect();
        Answer { status: StatusCode::BAD_REQUEST, headers, body: body.to_owned().into() }
    }

    #[test]
    fn a_foreign_server_is_named_and_a_doorward_is_not() {
        let nginx = [(header::SERVER, "nginx/1.22.1")];
        assert_eq!(named(&answer(&nginx, "<html>")).as_deref(), Some("nginx/1.22.1"));
        let ours = r#"{"error":"bad_base64","message":"x","reference":"r","reason":"bad_base64"}"#;
        assert_eq!(named(&answer(&nginx, ours)), None, "a proxy puts its name on ours");
        assert_eq!(named(&answer(&[], "<html>")), None);
    }

    #[test]
    fn titles_and_complaints_are_read() {
        let page =
            "<html>\n<head><TITLE>400 The plain HTTP request\n was sent to HTTPS port</title>";
        assert_eq!(
            title(page.as_bytes()).as_deref(),
            Some("400 The plain HTTP request was sent to HTTPS port")
        );
        assert_eq!(title(b"<title></title>"), None);
        assert!(wants_tls(&answer(
            &[],
            "You're speaking plain HTTP to an SSL-enabled server port."
        )));
        assert!(!wants_tls(&answer(&[], "Request Header Or Cookie Too Large")));
    }

    #[test]
    fn the_clock_is_read_from_the_date() {
        let dated = answer(&[(header::DATE, "Fri, 27 Nov 2026 17:50:15 GMT")], "");
        assert_eq!(date(&dated).unwrap().to_string(), "2026-11-27T17:50:15Z");
        assert_eq!(date(&answer(&[(header::DATE, "yesterday")], "")), None);
    }
}

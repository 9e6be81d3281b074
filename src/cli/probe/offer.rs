//! What a server says in answer to a request: challenges, cookies, reasons.
//! Pure functions on header fields and bodies.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;

use crate::wire::Reason;

/// A challenge of `WWW-Authenticate` (RFC 9110, 11.6.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Challenge {
    /// `Negotiate`, as written.
    pub(super) scheme: String,
    /// What follows it; empty for a bare scheme.
    pub(super) rest: String,
}

/// The challenges of an answer, in its order.
pub(super) fn challenges(headers: &HeaderMap) -> Vec<Challenge> {
    let mut found: Vec<Challenge> = Vec::new();
    for value in headers.get_all(header::WWW_AUTHENTICATE) {
        let text = String::from_utf8_lossy(value.as_bytes());
        for element in elements(&text) {
            let (word, rest) = element.split_once(' ').unwrap_or((element, ""));
            match found.last_mut() {
                // A parameter, `realm="x"`, belongs to the challenge before it.
                Some(challenge) if word.contains('=') => {
                    challenge.rest.push_str(", ");
                    challenge.rest.push_str(element);
                }
                _ => {
                    found.push(Challenge { scheme: word.to_owned(), rest: rest.trim().to_owned() })
                }
            }
        }
    }
    found
}

/// Whether a scheme is offered.
pub(super) fn offers(offered: &[Challenge], scheme: &str) -> bool {
    offered.iter().any(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme))
}

/// The token of a scheme's challenge, where it carries one.
pub(super) fn token(headers: &HeaderMap, scheme: &str) -> Option<Vec<u8>> {
    let offered = challenges(headers);
    let mut named =
        offered.iter().filter(|challenge| challenge.scheme.eq_ignore_ascii_case(scheme));
    let token = named.find(|challenge| !challenge.rest.is_empty())?;
    STANDARD.decode(&token.rest).ok()
}

/// The cookies an answer sets: name and value.
pub(super) fn cookies(headers: &HeaderMap) -> Vec<(String, String)> {
    let values = headers.get_all(header::SET_COOKIE).iter();
    let pairs = values.filter_map(|value| {
        let pair = value.to_str().ok()?.split(';').next()?;
        let (name, value) = pair.split_once('=')?;
        Some((name.trim().to_owned(), value.trim().to_owned()))
    });
    pairs.collect()
}

/// A Doorward's explanation of a refusal.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub(super) struct Explanation {
    pub(super) reason: Option<Reason>,
    /// What was wrong and what to do.
    pub(super) message: String,
    /// Stands in the gateway's log.
    pub(super) reference: String,
}

/// The explanation in a body; `None` where it is none of a Doorward's.
pub(super) fn explanation(body: &[u8]) -> Option<Explanation> {
    let explanation: Explanation = serde_json::from_slice(body).ok()?;
    let says_nothing = explanation.reason.is_none() && explanation.message.is_empty();
    (!says_nothing).then_some(explanation)
}

/// What became of a request that carried a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The server knows who asks, whatever it thinks of the page.
    SignedOn,
    /// It knows, and does not let this person in.
    NotPermitted,
    /// It did not take the token.
    Refused,
    /// The token did not reach whoever judges it.
    TooLarge,
    Failed,
}

impl Explanation {
    /// Whether it is about somebody who has signed on.
    pub(super) const fn is_of_somebody(&self) -> bool {
        matches!(
            self.reason,
            Some(
                Reason::ApplicationDown
                    | Reason::ApplicationSlow
                    | Reason::ApplicationBroken
                    | Reason::RequirementNotMet
            )
        )
    }
}

pub(super) fn verdict(status: StatusCode) -> Verdict {
    match status {
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED => Verdict::Refused,
        StatusCode::FORBIDDEN => Verdict::NotPermitted,
        StatusCode::BAD_REQUEST
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Verdict::TooLarge,
        status if status.is_server_error() => Verdict::Failed,
        _ => Verdict::SignedOn,
    }
}

/// The elements of a list field: commas inside quotes part nothing.
fn elements(text: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |character| {
        quoted ^= character == '"';
        character == ',' && !quoted
    })
    .map(str::trim)
    .filter(|element| !element.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(fields: &[(header::HeaderName, &str)]) -> HeaderMap {
        let field =
            |(name, value): &(header::HeaderName, &str)| (name.clone(), value.parse().unwrap());
        fields.iter().map(field).collect()
    }

    fn schemes(values: &[&str]) -> Vec<String> {
        let fields: Vec<_> =
            values.iter().map(|value| (header::WWW_AUTHENTICATE, *value)).collect();
        let found = challenges(&answer(&fields));
        found.into_iter().map(|challenge| challenge.scheme).collect()
    }

    #[test]
    fn challenges_are_found_in_several_fields_and_in_one() {
        assert_eq!(schemes(&["Negotiate", "Basic realm=\"x\""]), ["Negotiate", "Basic"]);
        assert_eq!(
            schemes(&["Negotiate, Basic realm=\"a, b\", charset=\"UTF-8\""]),
            ["Negotiate", "Basic"]
        );
        assert_eq!(schemes(&["Digest realm=\"x\", nonce=\"y\", NTLM"]), ["Digest", "NTLM"]);
        assert!(schemes(&[""]).is_empty());
    }

    #[test]
    fn a_token_is_read_out_of_its_challenge() {
        let fields = answer(&[(header::WWW_AUTHENTICATE, "negotiate aGk=")]);
        assert_eq!(token(&fields, "Negotiate"), Some(b"hi".to_vec()));
        assert_eq!(token(&fields, "NTLM"), None);
        assert!(offers(&challenges(&fields), "Negotiate"));
        let bare = answer(&[(header::WWW_AUTHENTICATE, "Negotiate")]);
        assert_eq!(token(&bare, "Negotiate"), None);
        let damaged = answer(&[(header::WWW_AUTHENTICATE, "Negotiate a%b")]);
        assert_eq!(token(&damaged, "Negotiate"), None);
    }

    #[test]
    fn a_cookie_is_its_first_pair() {
        let fields = answer(&[(header::SET_COOKIE, "__Host-doorward=abc; Secure; Path=/")]);
        assert_eq!(cookies(&fields), [("__Host-doorward".to_owned(), "abc".to_owned())]);
    }

    #[test]
    fn a_refusal_of_a_doorward_tells_its_reason() {
        let body = br#"{"error":"logon_failed","message":"x","reference":"r","reason":"replay"}"#;
        assert_eq!(explanation(body).unwrap().reason, Some(Reason::Replay));
        assert_eq!(explanation(b"<html>"), None);
        assert_eq!(explanation(b"{\"status\": 401}"), None);
    }

    #[test]
    fn whoever_answers_otherwise_than_by_refusing_has_signed_on() {
        assert_eq!(verdict(StatusCode::OK), Verdict::SignedOn);
        assert_eq!(verdict(StatusCode::FOUND), Verdict::SignedOn);
        assert_eq!(verdict(StatusCode::NOT_FOUND), Verdict::SignedOn);
        assert_eq!(verdict(StatusCode::UNAUTHORIZED), Verdict::Refused);
        assert_eq!(verdict(StatusCode::FORBIDDEN), Verdict::NotPermitted);
        assert_eq!(verdict(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE), Verdict::TooLarge);
        assert_eq!(verdict(StatusCode::BAD_GATEWAY), Verdict::Failed);
    }
}

//! What happened, in plain words.

use std::time::Duration;

use http::{StatusCode, header};

use super::ProbeError;
use super::connection::Answer;
use super::offer::{self, Challenge, Explanation, Verdict};
use super::ticket::{Ticket, TicketError};
use crate::pki::certificate::Certificate;

/// The first answer.
pub(super) fn offer(path: &str, answer: &Answer, offered: &[Challenge]) -> String {
    let offers = if offered.is_empty() { "nothing".to_owned() } else { schemes(offered) };
    format!("GET {path} is answered {}; offered: {offers}", answer.status)
}

/// The schemes that are offered.
pub(super) fn schemes(offered: &[Challenge]) -> String {
    let names: Vec<_> = offered.iter().map(|challenge| challenge.scheme.as_str()).collect();
    if names.is_empty() { "nothing at all".to_owned() } else { names.join(", ") }
}

/// Whom a certificate is for, and until when.
pub(super) fn certificate(certificate: &Certificate) -> String {
    let names = match certificate.names.as_slice() {
        [] => "no names".to_owned(),
        names => names.join(", "),
    };
    let Certificate { subject, issuer, ends_at, .. } = certificate;
    let by = if subject == issuer { "itself" } else { issuer };
    format!("{subject}, for {names}; issued by {by}; ends {ends_at}")
}

/// Who will sign on, and out of which cache.
pub(super) fn ticket(ticket: &Ticket) -> String {
    let cache = std::env::var("KRB5CCNAME")
        .unwrap_or_else(|_| "the default cache (KRB5CCNAME is not set)".to_owned());
    let Ticket { principal, remaining } = ticket;
    format!("{principal} from {cache}, good for another {}", hours(*remaining))
}

/// How large a token is. Servers with the usual limits refuse large ones.
pub(super) fn token(bytes: usize, field: usize) -> String {
    let warning = if field > USUAL_LIMIT {
        "; many servers and proxies refuse header fields over 8 KB: a person in many groups has such tokens"
    } else {
        ""
    };
    format!("{bytes} bytes, {field} in the Authorization field{warning}")
}

/// Why a page that asks for nothing is of no use to a probe.
pub(super) fn not_asked(answer: &Answer) -> String {
    let status = answer.status;
    let place = answer.headers.get(header::LOCATION).and_then(|place| place.to_str().ok());
    match place {
        Some(place) if status.is_redirection() => {
            format!("{status}, it sends on to {place}; probe that")
        }
        _ if status.is_server_error() => format!("{status}; its log says why"),
        _ if status == StatusCode::BAD_REQUEST => {
            format!("{status}; is this a TLS port, to be reached by https://?")
        }
        _ => format!("{status}; give the path of a page that does"),
    }
}

/// Whether the server has proven itself.
pub(super) const fn proof(complete: bool) -> &'static str {
    if complete {
        "has proven itself with its own key (mutual authentication)"
    } else {
        "has NOT proven itself: its answer carries no token of its own"
    }
}

/// The cookies that were set.
pub(super) fn cookies(cookies: &[(String, String)]) -> String {
    let names: Vec<_> = cookies.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        "none: every request, or every connection, has to sign on again".to_owned()
    } else {
        format!("{} received", names.join(", "))
    }
}

/// Who a Doorward says we are, one fact a line.
pub(super) fn whoami(answer: &Answer) -> Vec<String> {
    match serde_json::from_slice(&answer.body) {
        Ok(serde_json::Value::Object(facts)) if answer.status.is_success() => {
            facts.iter().filter_map(|(name, value)| fact(name, value)).collect()
        }
        _ => vec![format!("cannot be read (status {})", answer.status)],
    }
}

fn fact(name: &str, value: &serde_json::Value) -> Option<String> {
    use serde_json::Value::{Array, Bool, Null, Number, Object, String as Text};
    let name = name.replace('_', " ");
    match value {
        Null => None,
        Text(text) if text.is_empty() => None,
        Text(text) => Some(format!("{name}: {text}")),
        Bool(yes) => Some(format!("{name}: {}", if *yes { "yes" } else { "no" })),
        Number(number) => Some(format!("{name}: {number}")),
        Array(members) => {
            let members: Vec<_> = members.iter().filter_map(serde_json::Value::as_str).collect();
            (!members.is_empty()).then(|| format!("{name}: {}", members.join(", ")))
        }
        Object(facts) => {
            let inner: Vec<_> =
                facts.iter().filter_map(|(name, value)| fact(name, value)).collect();
            (!inner.is_empty()).then(|| format!("{name}: {}", inner.join("; ")))
        }
    }
}

/// Why the token did not do: in the server's words where it has any, and with
/// what the library reads in the server's token.
pub(super) fn refused(answer: &Answer, token: Option<&TicketError>) -> ProbeError {
    let status = answer.status;
    let said = offer::explanation(&answer.body).map(explained);
    ProbeError::Refused(said.unwrap_or_else(|| match (offer::verdict(status), token) {
        (Verdict::Refused, Some(TicketError::NotVerified(said))) => {
            format!("the server did not take the ticket, and says: {said}. {CAUSES}")
        }
        (Verdict::Refused, _) => format!("the server did not take the ticket and does not say why. {CAUSES}"),
        (Verdict::NotPermitted, _) => "the server knows you, and does not let you in".to_owned(),
        (Verdict::TooLarge, _) => format!("the server answers {status} to a request that carries a token. Does it, or a proxy before it, limit the size of header fields?"),
        (Verdict::Failed | Verdict::SignedOn, _) => format!("the server answers {status}: its log says why"),
    }))
}

/// An error as a whole sentence.
pub(super) fn sentence(error: &ProbeError) -> String {
    let text = error.to_string();
    if text.ends_with(['.', '?']) { text } else { format!("{text}.") }
}

fn explained(explanation: Explanation) -> String {
    let Explanation { reason, message, reference } = explanation;
    let sentence = match reason {
        Some(reason) if message.is_empty() => format!("{reason}: {}", reason.sentence()),
        Some(reason) => format!("{reason}: {message}"),
        None => message,
    };
    match reference.as_str() {
        "" => sentence,
        reference => format!("{sentence} The gateway's log has more under {reference}"),
    }
}

fn hours(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

const CAUSES: &str = "Its log may say more. The usual causes: its keytab is older than the service's password (kvno), or lacks the service's name or the ticket's encryption type; two accounts have the same service name; the clocks differ; the site is reached through something that opens TLS";

/// Bytes of a header field that servers take by default.
const USUAL_LIMIT: usize = 8000;

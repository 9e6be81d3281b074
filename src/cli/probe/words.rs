//! What happened, in plain words.

use std::time::Duration;

use super::ProbeError;
use super::connection::Answer;
use super::offer::{self, Challenge, Explanation, Verdict};
use super::ticket::{Ticket, TicketError};
use crate::cli::certificate::Certificate;

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
        .map_or_else(|_| "the default cache (KRB5CCNAME is not set)".to_owned(), |name| name);
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

/// Why the token did not do, in the server's words where it has any.
pub(super) fn refused(answer: &Answer, token: Option<&TicketError>) -> ProbeError {
    let said = offer::explanation(&answer.body).map(explained);
    let guess = || {
        match offer::verdict(answer.status) {
        Verdict::Refused => "the server did not take the ticket and does not say why. Its log may. The usual causes: its keytab is older than the service's password (kvno), lacks the service's name or the ticket's encryption type, two accounts have the same service name, or the clocks differ".to_owned(),
        Verdict::NotPermitted => "the server knows you, and does not let you in".to_owned(),
        Verdict::TooLarge => format!("the server answered {} to a request that carried a token: does it, or a proxy before it, limit the size of header fields?", answer.status),
        Verdict::Failed | Verdict::SignedOn => format!("the server took the request, but answered {}: its log says why", answer.status),
    }
    };
    let said = said.unwrap_or_else(guess);
    ProbeError::Refused(match token {
        Some(error) => format!("{}; moreover {error}", said.trim_end_matches('.')),
        None => said.trim_end_matches('.').to_owned(),
    })
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

/// The library wants to say nothing, although the server waits.
pub(super) fn stuck() -> ProbeError {
    ProbeError::Refused(
        "the server asks for more after the last token: it did not take it".to_owned(),
    )
}

fn hours(duration: Duration) -> String {
    let minutes = duration.as_secs() / 60;
    format!("{} h {:02} min", minutes / 60, minutes % 60)
}

/// Bytes of a header field that servers take by default.
const USUAL_LIMIT: usize = 8000;

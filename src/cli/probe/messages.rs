//! What happened, in plain words.

use std::fmt::Display;
use std::io::{self, Write};

use http::{StatusCode, header};

use super::connection::Answer;
use super::connection::target::Target;
use super::error::ProbeError;
use super::offer::{self, Challenge, Explanation, Verdict};
use super::server;
use crate::clock::Timestamp;
use crate::front::readiness::Clock;
use crate::front::request::cookie;
use crate::mechanism::Bindings;
use crate::pki::file::certificate::Certificate;

pub(super) fn leg(name: &str, what: impl Display) {
    show(format_args!("{name:<12} {}", harmless(&what.to_string())));
}

/// Shows a line. A reader that has gone away is no reason to stop.
pub(super) fn show(what: impl Display) {
    let _ = writeln!(io::stdout().lock(), "{what}");
}

pub(super) fn offer(path: &str, answer: &Answer, offered: &[Challenge]) -> String {
    let offers = if offered.is_empty() { "nothing".to_owned() } else { schemes(offered) };
    format!("GET {path} gets {}; offered: {offers}", answer.status)
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
    format!("{subject}, for {names}; issued by {by}; expires {ends_at}")
}

/// How the server's clock stands beside this machine's, where they differ.
pub(super) fn clock(answer: &Answer, now: Timestamp) -> Option<String> {
    let theirs = server::date(answer)?;
    let clock = Clock::compare(now, theirs);
    clock.is_wrong().then(|| {
        format!(
            "this machine's clock says {now} and the server's {theirs}: this machine is {clock} it. Kerberos allows 5 min: set both by the domain's time"
        )
    })
}

/// How large a token is. Servers with the usual limits refuse large ones.
pub(super) fn token(bytes: usize, field: usize) -> String {
    let warning = if field > USUAL_LIMIT {
        "; many servers and proxies refuse header fields over 8 KB, and users in many groups have such tokens"
    } else {
        ""
    };
    format!("{bytes} bytes, {field} in the Authorization field{warning}")
}

/// Why a page that asks for nothing is of no use to a probe.
pub(super) fn not_asked(answer: &Answer) -> String {
    let status = answer.status;
    let place = answer.headers.get(header::LOCATION).and_then(|place| place.to_str().ok());
    if let Some(explanation) = offer::explanation(&answer.body) {
        return format!("{status}, {}", explained(explanation));
    }
    let by = by(answer);
    match place {
        Some(place) if status.is_redirection() => {
            format!("{status}, it redirects to {place}; probe that")
        }
        _ if status.is_server_error() => format!("{status}{by}; its log says why"),
        _ if status == StatusCode::BAD_REQUEST => {
            format!("{status}{by}; is this a TLS port? Then use https://")
        }
        _ => format!("{status}{by}; give the path of a page that exists"),
    }
}

/// Whether what proves the person is bound to the TLS connection.
pub(super) fn binding(target: &Target, bindings: Option<&Bindings>) {
    if target.tls {
        let bound = if bindings.is_some() { "bound" } else { "not bound" };
        leg("binding", format_args!("the token is {bound} to the TLS connection"));
    }
}

/// The cookies that were set.
pub(super) fn cookies(target: &Target, cookies: &[(String, String)]) -> String {
    let names: Vec<_> = cookies.iter().map(|(name, _)| name.as_str()).collect();
    if target.tls && names.contains(&cookie::PLAIN) {
        return format!(
            "{} received, WITHOUT __Host-: the gateway believes that this HTTPS site uses plain HTTP. The proxy that ends TLS in front of it is not in its trusted_proxies, or does not send X-Forwarded-Proto: list it there",
            names.join(", ")
        );
    }
    if names.is_empty() {
        "none: every request, or every connection, must sign on again".to_owned()
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

/// What was presented to a server that did not take it.
#[derive(Clone, Debug)]
pub(super) struct Presented {
    /// What it was: `the ticket`.
    pub(super) what: &'static str,
    /// What the server's own token says about it.
    pub(super) said: Option<String>,
    /// Why servers refuse such a thing, as far as a client can know.
    pub(super) causes: &'static str,
}

/// Why it was not taken: in the server's words where it has any.
pub(super) fn refused(answer: &Answer, presented: &Presented) -> ProbeError {
    let Presented { what, said, causes } = presented;
    let why = match (offer::explanation(&answer.body), said) {
        (Some(explanation), _) => format!(". {}", explained(explanation)),
        (None, Some(said)) => format!(", and says: {said}. {USUALLY} {causes}"),
        (None, None) => format!(", and does not say why. {USUALLY} {causes}"),
    };
    ProbeError::Refused(format!("the server did not accept {what}{why}"))
}

/// Why somebody who sent a token has no page.
pub(super) fn kept_out(answer: &Answer, verdict: Verdict) -> String {
    let status = answer.status;
    if let Some(explanation) = offer::explanation(&answer.body) {
        return explained(explanation);
    }
    match (verdict, server::named(answer)) {
        (Verdict::NotPermitted, _) => "the server knows you, but does not let you in".to_owned(),
        (Verdict::TooLarge, Some(server)) => format!(
            "{status} comes from {server} (its Server header), for a request with a token{}. Its limit for header fields is too small for the token: {}",
            says(answer),
            server::larger_fields(&server)
        ),
        (Verdict::TooLarge, None) => format!(
            "the server answers {status} to a request with a token{}. Does it, or a proxy in front of it, limit the size of header fields? At a Doorward: [front] max_header_bytes",
            says(answer)
        ),
        (_, Some(server)) => format!(
            "{status} comes from {server} (its Server header){}: does it reach the gateway? Its log says why",
            says(answer)
        ),
        (_, None) => format!("the server answers {status}{}: its log says why", says(answer)),
    }
}

/// Why somebody who signed on has no page all the same.
pub(super) fn without_page(answer: &Answer) -> String {
    let status = answer.status;
    if let Some(explanation) = offer::explanation(&answer.body) {
        return explained(explanation);
    }
    if server::wants_tls(answer) {
        return format!(
            "the application answers {status}{}: it speaks TLS, but the gateway uses plain HTTP. Set upstream of the site to its HTTP port",
            says(answer)
        );
    }
    match status {
        StatusCode::NOT_FOUND => {
            "the application answers 404 Not Found: it has no page at this path".to_owned()
        }
        _ => format!("the application answers {status}{}{}", by(answer), says(answer)),
    }
}

/// Whom an answer comes from, as an insertion.
fn by(answer: &Answer) -> String {
    server::named(answer)
        .map_or_else(String::new, |server| format!(", from {server} (its Server header)"))
}

/// What a page says of itself, as an insertion.
fn says(answer: &Answer) -> String {
    server::title(&answer.body).map_or_else(String::new, |title| format!(" (\"{title}\")"))
}

/// An error as a whole sentence.
pub(super) fn sentence(error: &ProbeError) -> String {
    let text = harmless(&error.to_string());
    if text.ends_with(['.', '?']) { text } else { format!("{text}.") }
}

pub(super) fn explained(explanation: Explanation) -> String {
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

/// What a server says cannot move the cursor or colour the terminal.
fn harmless(text: &str) -> String {
    let shown = |character: char| {
        if character.is_control() { char::REPLACEMENT_CHARACTER } else { character }
    };
    text.chars().map(shown).collect()
}

const USUALLY: &str = "Its log may say more. The usual causes:";

/// Bytes of a header field that servers take by default.
const USUAL_LIMIT: usize = 8000;

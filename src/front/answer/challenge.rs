//! What a client is asked for, and whether it has to come back by HTTP/1.1 for it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::Answerer;
use crate::front::sign_on::policy::Policy;
use crate::front::sign_on::{Refusal, Reply};
use crate::mechanism::Scheme;
use crate::wire::mechanism::Credentials;
use crate::wire::{Mechanism, Reason};

impl Answerer<'_> {
    /// What is offered, or the one token that the client waits for.
    pub(super) fn challenges(&self, refusal: &Refusal, policy: &Policy<'_>) -> Vec<HeaderValue> {
        if refusal.reason == Reason::ExchangeOpen {
            return refusal.reply.as_ref().map(with_token).into_iter().collect();
        }
        let offered = policy.mechanisms.iter().filter(|mechanism| policy.offers(**mechanism));
        let rows = offered.map(|mechanism| mechanism.row());
        rows.filter(|row| !(row.needs.http1 && self.http2() || row.needs.tls && !self.secure()))
            .filter_map(|row| match row.credentials? {
                Credentials::Token(scheme) => Some(offer(scheme, refusal)),
                Credentials::Password => Some(self.basic()),
            })
            .collect()
    }

    /// The challenge of RFC 7617. Browsers remember a password by host and realm.
    fn basic(&self) -> HeaderValue {
        let host = self.facts.map_or("", |facts| &facts.host);
        HeaderValue::from_str(&format!("Basic realm=\"{host}\", charset=\"UTF-8\""))
            .unwrap_or(HeaderValue::from_static("Basic realm=\"\", charset=\"UTF-8\""))
    }

    /// Whether the client is to come back by HTTP/1.1: it tried NTLM; or it came a
    /// second time without anything and may have nothing else; or `nothing` is
    /// offered to it here; or it is a browser, which without a ticket asks for name
    /// and password only where NTLM is offered. A client that chose HTTP/2 without asking (over plain
    /// HTTP) could not. One that tried Kerberos has to hear what came of it: it
    /// would send the same token again, and that one would be a replay.
    pub(super) fn needs_http1(
        &self,
        refusal: &Refusal,
        policy: &Policy<'_>,
        nothing: bool,
    ) -> bool {
        let by_choice = self.facts.is_some_and(|facts| facts.secure && !facts.trusted);
        let at_a_loss = refusal.tried.is_none() && (refusal.came_again || nothing || self.page);
        self.http2()
            && policy.offers(Mechanism::Ntlm)
            && (by_choice && at_a_loss || refusal.reason == Reason::NtlmNeedsHttp1)
    }
}

/// A scheme, with the token that the refused attempt has for the client.
fn offer(scheme: Scheme, refusal: &Refusal) -> HeaderValue {
    match &refusal.reply {
        Some(reply) if reply.scheme == scheme => with_token(reply),
        _ => HeaderValue::from_static(scheme.as_str()),
    }
}

pub(super) fn with_token(reply: &Reply) -> HeaderValue {
    let word = reply.scheme.as_str();
    let value = format!("{word} {}", STANDARD.encode(&reply.token));
    HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static(word))
}

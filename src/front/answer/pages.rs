//! The pages that a person sees. Everything shown is escaped by the template.

use std::sync::LazyLock;

use askama::Template;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use serde::Serialize;

use super::advice::Step;
use crate::clock::Timestamp;
use crate::wire::{Mechanism, Session, User};

/// What a page may load: its own style, known by its hash, and nothing else
/// (Content Security Policy Level 3, section 2.3.1).
pub(in crate::front) static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
    // Templates are included without their last line's end.
    let style = STANDARD.encode(digest(&SHA256, STYLE.trim_ascii_end().as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; frame-ancestors 'none'"
    );
    // Base64 and the words around it are visible ASCII.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
});

/// Why there is no identity, or no application.
#[derive(Debug, Template)]
#[template(path = "refused.html")]
pub(in crate::front) struct Refused<'a> {
    /// What it is about, in three words.
    pub title: &'a str,
    /// Why, and what to do.
    pub sentence: &'a str,
    /// Settings and commands that help.
    pub(in crate::front) steps: &'a [Step],
    /// Who is signed on all the same; empty when nobody is.
    pub login: &'a str,
    /// The number that is in the log.
    pub reference: &'a str,
}

/// `/.doorward/whoami`
#[derive(Debug, Template)]
#[template(path = "whoami.html")]
pub(in crate::front) struct Whoami<'a> {
    /// Login name.
    pub login: &'a str,
    /// Full name.
    pub name: &'a str,
    /// Principal as proven.
    pub principal: &'a str,
    /// By what.
    pub mechanism: &'a str,
    /// Bound to the TLS channel.
    pub channel_bound: bool,
    /// Groups and SIDs.
    pub groups: &'a [String],
    /// When the session ends at the latest.
    pub expires_at: String,
}

/// After logging out, and where somebody meant to.
#[derive(Debug, Template)]
#[template(path = "signed_off.html")]
pub(in crate::front) struct SignedOff {
    /// Whether it is done; otherwise the page has the button that does it.
    pub done: bool,
}

const STYLE: &str = include_str!("../../../templates/style.css");

/// `/.doorward/whoami` for programs.
#[derive(Serialize)]
pub(in crate::front) struct WhoamiJson<'a> {
    user: &'a User,
    mechanism: Mechanism,
    principal: &'a str,
    channel_bound: bool,
    expires_at: Timestamp,
}

impl<'a> From<&'a Session> for WhoamiJson<'a> {
    fn from(session: &'a Session) -> Self {
        Self {
            user: &session.user,
            mechanism: session.mechanism,
            principal: &session.principal,
            channel_bound: session.channel_bound,
            expires_at: session.expires_at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_lets_in_the_style_that_a_page_shows() {
        let page = SignedOff { done: true }.render().unwrap();
        let (_, rest) = page.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(digest(&SHA256, style.as_bytes()));
        assert!(style.contains("font:"), "{style}");
        assert!(POLICY.to_str().unwrap().contains(&format!("'sha256-{hash}'")), "{POLICY:?}");
    }
}

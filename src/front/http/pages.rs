//! The pages that a person sees. Everything shown is escaped by the template.

use askama::Template;

/// Why there is no identity, or no application.
#[derive(Debug, Template)]
#[template(path = "refused.html")]
pub struct Refused<'a> {
    /// What it is about, in three words.
    pub title: &'a str,
    /// Why, and what to do.
    pub sentence: &'a str,
    /// Who is signed on all the same; empty when nobody is.
    pub login: &'a str,
    /// The number that stands in the log.
    pub reference: &'a str,
}

/// `/.doorward/whoami`
#[derive(Debug, Template)]
#[template(path = "whoami.html")]
pub struct Whoami<'a> {
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
pub struct SignedOff {
    /// Whether it is done; otherwise the page has the button that does it.
    pub done: bool,
}

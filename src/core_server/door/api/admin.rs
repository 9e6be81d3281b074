//! What administrators ask: lists, in pages.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::Uri;
use percent_encoding::percent_decode_str;

use super::{Facts, permit};
use crate::clock;
use crate::core_server::Core;
use crate::core_server::policy::Ask;
use crate::core_server::refusal::Refusal;
use crate::wire::SessionKey;
use crate::wire::admin::{KeyList, SessionEntry, SessionList};

/// What part of a list is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::core_server) struct Page {
    /// Entries at most.
    pub(in crate::core_server) limit: usize,
    /// Those after this one: what a page before it called `next`.
    pub(in crate::core_server) after: Option<String>,
    /// Those of this user.
    pub(in crate::core_server) user: Option<String>,
    /// Those whose id begins so.
    pub(in crate::core_server) id: Option<String>,
}

pub(super) async fn sessions(
    State(core): State<Arc<Core>>,
    facts: Facts,
    uri: Uri,
) -> Result<Json<SessionList>, Refusal> {
    permit(&core, &facts.peer, Ask::Sessions)?;
    let page = Page::read(&uri, &["limit", "after", "user", "id"])?;
    core.list_sessions(&page, clock::now()).map(Json)
}

pub(super) fn session(
    core: &Core,
    facts: &Facts,
    key: &SessionKey,
) -> Result<SessionEntry, Refusal> {
    permit(core, &facts.peer, Ask::Sessions)?;
    core.see_session(key, clock::now())
}

pub(super) async fn keys(
    State(core): State<Arc<Core>>,
    facts: Facts,
    uri: Uri,
) -> Result<Json<KeyList>, Refusal> {
    permit(&core, &facts.peer, Ask::Keys)?;
    let page = Page::read(&uri, &["limit", "after"])?;
    core.list_keys(page, clock::now()).await.map(Json)
}

impl Page {
    /// Reads a query, in which these parameters may stand, each once.
    fn read(uri: &Uri, known: &[&str]) -> Result<Self, Refusal> {
        let mut page = Self { limit: USUAL, after: None, user: None, id: None };
        let mut seen = Vec::new();
        let query = uri.query().unwrap_or_default();
        for (name, value) in query.split('&').filter_map(|pair| pair.split_once('=')) {
            let value = percent_decode_str(value).decode_utf8().map_err(|_| misread(known))?;
            if !known.contains(&name) || seen.contains(&name) {
                return Err(misread(known));
            }
            seen.push(name);
            match name {
                "limit" => page.limit = limit(&value)?,
                "after" => page.after = Some(value.into_owned()),
                "user" => page.user = Some(value.into_owned()),
                _ => page.id = Some(value.into_owned()),
            }
        }
        let given = query.split('&').filter(|pair| !pair.is_empty()).count();
        if given == seen.len() { Ok(page) } else { Err(misread(known)) }
    }
}

fn limit(text: &str) -> Result<usize, Refusal> {
    let number = text.parse().ok().filter(|number| (1..=MOST).contains(number));
    number.ok_or_else(|| {
        Refusal::bad_request(format!("limit must be a number from 1 to {MOST}, not {text:?}."))
    })
}

fn misread(known: &[&str]) -> Refusal {
    let known = known.join(", ");
    Refusal::bad_request(format!(
        "The parameters are {known}: write each once, as name=value, in percent-encoded UTF-8."
    ))
}

/// Entries of a page for which nothing else is asked.
const USUAL: usize = 100;
/// Entries of a page.
const MOST: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;

    const KNOWN: &[&str] = &["limit", "after", "user"];

    fn read(query: &str) -> Option<Page> {
        Page::read(&format!("/v1/sessions{query}").parse().unwrap(), KNOWN).ok()
    }

    #[test]
    fn a_page_is_read_from_the_query() {
        let usual = Page { limit: 100, after: None, user: None, id: None };
        assert_eq!(read(""), Some(usual.clone()));
        assert_eq!(read("?"), Some(usual.clone()));
        let user = Some("LAB\\jürgen".to_owned());
        assert_eq!(
            read("?user=LAB%5Cj%C3%BCrgen&limit=1000&after=7"),
            Some(Page { limit: 1000, after: Some("7".into()), user, ..usual })
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_passed_over() {
        for query in
            ["?limit=0", "?limit=1001", "?limit=-1", "?limit=", "?user", "?id=ab", "?usr=john"]
        {
            assert_eq!(read(query), None, "{query}");
        }
        for query in ["?user=a&user=b", "?user=%ff", "?limit=1&&x"] {
            assert_eq!(read(query), None, "{query}");
        }
    }
}

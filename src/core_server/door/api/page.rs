//! Which part of a list is wanted, from the query of a request.

use http::Uri;
use percent_encoding::percent_decode_str;

use crate::core_server::desk::Page;
use crate::core_server::refusal::Refusal;

/// Reads a query, in which these parameters may be, each once.
pub(super) fn read(uri: &Uri, known: &[&str]) -> Result<Page, Refusal> {
    let mut page = Page { limit: USUAL, after: None, user: None, id: None };
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

    fn page(query: &str) -> Option<Page> {
        read(&format!("/v1/sessions{query}").parse().unwrap(), KNOWN).ok()
    }

    #[test]
    fn a_page_is_read_from_the_query() {
        let usual = Page { limit: 100, after: None, user: None, id: None };
        assert_eq!(page(""), Some(usual.clone()));
        assert_eq!(page("?"), Some(usual.clone()));
        let user = Some("LAB\\jürgen".to_owned());
        assert_eq!(
            page("?user=LAB%5Cj%C3%BCrgen&limit=1000&after=7"),
            Some(Page { limit: 1000, after: Some("7".into()), user, ..usual })
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_and_never_passed_over() {
        for query in
            ["?limit=0", "?limit=1001", "?limit=-1", "?limit=", "?user", "?id=ab", "?usr=john"]
        {
            assert_eq!(page(query), None, "{query}");
        }
        for query in ["?user=a&user=b", "?user=%ff", "?limit=1&&x"] {
            assert_eq!(page(query), None, "{query}");
        }
    }
}

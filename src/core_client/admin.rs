//! What administrators ask of the core.

use std::fmt::Write as _;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Client, ClientError};
use crate::wire::SessionKey;
use crate::wire::admin::{KeyList, SessionList};

/// Which part of a list is wanted; nothing set: its beginning, as much as is usual.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Page {
    /// Entries at most, 1 to 1000.
    pub limit: Option<u16>,
    /// Those after this one: what a page before it called `next`.
    pub after: Option<String>,
}

/// Whose sessions are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum SessionFilter {
    /// Everybody's.
    #[default]
    All,
    /// Those of a user, by a name that could sign on.
    User(String),
    /// Those whose id begins with these digits, 8 at least.
    Id(String),
}

impl Client {
    /// Sessions that live, the oldest first.
    ///
    /// # Errors
    /// [`ClientError::Refused`] with `no_access` for a peer that is no
    /// administrator; or the core cannot be asked.
    pub(crate) async fn sessions(
        &self,
        filter: &SessionFilter,
        page: &Page,
    ) -> Result<SessionList, ClientError> {
        let (user, id) = match filter {
            SessionFilter::All => (None, None),
            SessionFilter::User(name) => (Some(name.as_str()), None),
            SessionFilter::Id(digits) => (None, Some(digits.as_str())),
        };
        let path = path("/v1/sessions", page, &[("user", user), ("id", id)]);
        self.get(&path).await
    }

    /// Ends a session without its secret.
    ///
    /// # Errors
    /// As of [`Client::end`]; `no_access` for a peer that is no administrator.
    pub(crate) async fn end_listed(&self, id: &SessionKey) -> Result<(), ClientError> {
        let path = format!("/v1/sessions/{id}");
        self.delete(&path).await
    }

    /// The keys of peers, by the names of their files.
    ///
    /// # Errors
    /// As of [`Client::sessions`].
    pub(crate) async fn keys(&self, page: &Page) -> Result<KeyList, ClientError> {
        let path = path("/v1/keys", page, &[]);
        self.get(&path).await
    }
}

fn path(of: &str, page: &Page, more: &[(&str, Option<&str>)]) -> String {
    let limit = page.limit.map(|limit| limit.to_string());
    let own = [("limit", limit.as_deref()), ("after", page.after.as_deref())];
    let given = own.iter().chain(more).filter_map(|(name, value)| Some((name, (*value)?)));
    let mut path = of.to_owned();
    for (index, (name, value)) in given.enumerate() {
        let sign = if index == 0 { '?' } else { '&' };
        // Writing into a String cannot fail.
        let _ = write!(path, "{sign}{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_add_to_the_query() {
        let page = Page { limit: Some(7), after: Some("a b".into()) };
        let more = [("user", Some("LAB\\j&id=ü")), ("id", None)];
        assert_eq!(
            path("/v1/sessions", &page, &more),
            "/v1/sessions?limit=7&after=a%20b&user=LAB%5Cj%26id%3D%C3%BC"
        );
        assert_eq!(path("/v1/keys", &Page::default(), &[]), "/v1/keys");
    }
}

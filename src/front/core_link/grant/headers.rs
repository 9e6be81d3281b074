//! The identity headers of a grant, rendered once and then shared by its requests.

use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use thiserror::Error;

use crate::clock::Timestamp;
use crate::config::section::HeaderNames;
use crate::wire::Session;

/// A group list longer than this is left out as a whole: most servers take
/// 8 KB of header lines, and half a list would be a wrong one.
pub(in crate::front) const MAX_GROUPS: usize = 6 * 1024;

/// What an application is told about a user, without the assertion.
#[derive(Clone, Debug)]
pub(in crate::front) struct IdentityHeaders(Vec<(HeaderName, HeaderValue)>);

/// A grant that cannot be told to an application unchanged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "the {field} {value:?} of user {login:?} cannot be in a header: it is empty, or contains \
     control characters or outer blanks; correct it in the directory"
)]
pub(in crate::front) struct Unsendable {
    /// Whose it is.
    pub login: String,
    /// What cannot be sent: `login`, `mail address` or `company`.
    pub field: &'static str,
    /// As it is.
    pub value: String,
}

impl IdentityHeaders {
    /// Renders what was granted under these names. Empty values have no header, except
    /// the admin level, which is always there.
    ///
    /// # Errors
    /// The login name, mail address or company would reach the application as
    /// another one: such a user is not passed on at all. A full name, which
    /// nobody decides by, is left out instead.
    fn new(session: &Session, names: &HeaderNames) -> Result<Self, Unsendable> {
        let user = &*session.user;
        let checked = |field, value: &str| {
            exact(value).ok_or_else(|| Unsendable {
                login: user.login().to_owned(),
                field,
                value: value.to_owned(),
            })
        };
        let mut headers = vec![(names.user.clone(), checked("login", user.login())?)];
        if let Some(name) = exact(&user.name) {
            headers.push((names.name.clone(), name));
        }
        if !user.email.is_empty() {
            headers.push((names.email.clone(), checked("mail address", &user.email)?));
        }
        if !user.company().is_empty() {
            headers.push((names.company.clone(), checked("company", user.company())?));
        }
        if let Some(groups) = groups(&user.groups) {
            headers.push((names.groups.clone(), groups));
        }
        let admin = HeaderValue::from_static(user.admin.as_str());
        headers.push((names.admin.clone(), admin));
        let mechanism = HeaderValue::from_static(session.mechanism.as_str());
        headers.push((names.mechanism.clone(), mechanism));
        Ok(Self(headers))
    }

    /// Puts the identity in, in place of whatever stands under its names.
    pub(in crate::front) fn apply(&self, headers: &mut HeaderMap) {
        for (name, value) in &self.0 {
            headers.insert(name.clone(), value.clone());
        }
    }
}

/// An assertion that may be sent again.
#[derive(Clone, Debug)]
pub(in crate::front) struct Issued {
    pub(in crate::front) audience: Box<str>,
    pub(in crate::front) renew_at: Timestamp,
    pub(in crate::front) ends_at: Timestamp,
    pub(in crate::front) value: HeaderValue,
}

/// What was rendered for a grant once already; hangs on the grant.
#[derive(Debug, Default)]
pub(super) struct IdentityCache {
    headers: OnceLock<Result<IdentityHeaders, Unsendable>>,
    issued: Mutex<Vec<Issued>>,
}

impl IdentityCache {
    /// The headers of what was granted.
    ///
    /// # Errors
    /// Those of [`IdentityHeaders::new`].
    pub(super) fn headers(
        &self,
        session: &Session,
        names: &HeaderNames,
    ) -> Result<&IdentityHeaders, &Unsendable> {
        self.headers.get_or_init(|| IdentityHeaders::new(session, names)).as_ref()
    }

    /// The assertions that were issued for the grant.
    pub(super) fn issued(&self) -> std::sync::MutexGuard<'_, Vec<Issued>> {
        self.issued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A value that arrives exactly as it is: UTF-8 passes as raw bytes; nothing
/// that a parser would cut off or end the line at.
fn exact(text: &str) -> Option<HeaderValue> {
    if text.is_empty() || text.trim() != text || text.contains(char::is_control) {
        return None;
    }
    HeaderValue::from_maybe_shared(Bytes::copy_from_slice(text.as_bytes())).ok()
}

/// All groups, with commas between them; inside a name `,`, `%` and control
/// characters are percent-encoded, so that no name can pass for two.
fn groups(names: &[String]) -> Option<HeaderValue> {
    let mut list = String::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if !list.is_empty() {
            list.push(',');
        }
        for character in name.chars() {
            if matches!(character, ',' | '%') || character.is_control() {
                let mut utf8 = [0; 4];
                for byte in character.encode_utf8(&mut utf8).bytes() {
                    list.push_str(&format!("%{byte:02X}"));
                }
            } else {
                list.push(character);
            }
        }
        if list.len() > MAX_GROUPS {
            return None;
        }
    }
    if list.is_empty() { None } else { HeaderValue::from_maybe_shared(Bytes::from(list)).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::front::upstream::testing::{header_names, session, user};
    use crate::wire::{AdminLevel, LoginId};
    use std::sync::Arc;

    fn rendered(change: impl FnOnce(&mut crate::wire::User)) -> Result<HeaderMap, Unsendable> {
        let mut someone = user();
        change(&mut someone);
        let mut granted = session();
        granted.user = Arc::new(someone);
        let mut headers = HeaderMap::new();
        IdentityHeaders::new(&granted, &header_names())?.apply(&mut headers);
        Ok(headers)
    }

    #[test]
    fn the_application_is_told_all_that_is_known() {
        let headers = rendered(|_| ()).unwrap();
        let mut lines: Vec<String> = headers
            .iter()
            .map(|(name, value)| format!("{name}: {}", String::from_utf8_lossy(value.as_bytes())))
            .collect();
        lines.sort();
        assert_eq!(
            lines,
            [
                "remote-admin: 1",
                "remote-company: exampleorg",
                "remote-email: john@exampleorg.example",
                "remote-groups: webusers,S-1-5-21-1-2-3-513",
                "remote-mechanism: negotiate",
                "remote-name: John Döe",
                "remote-user: john",
            ]
        );
    }

    #[test]
    fn what_is_not_known_has_no_header_except_the_admin_level() {
        let headers = rendered(|user| {
            *user = crate::wire::User {
                login_id: LoginId::without_company("john"),
                name: String::new(),
                email: String::new(),
                groups: Vec::new(),
                admin: AdminLevel::None,
            };
        })
        .unwrap();
        let mut names: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["remote-admin", "remote-mechanism", "remote-user"]);
    }

    #[test]
    fn a_name_that_would_arrive_as_another_is_not_passed_on() {
        for login in
            ["", " john", "john ", "jo\nhn", "john\r\nRemote-Admin: 2", "john\0", "john\u{85}"]
        {
            let refused =
                rendered(|user| user.login_id = LoginId::without_company(login)).unwrap_err();
            assert_eq!((refused.field, refused.value.as_str()), ("login", login));
        }
        let refused = rendered(|user| user.login_id = LoginId::new("john", "a\tb")).unwrap_err();
        assert_eq!(refused.field, "company");
        assert!(!rendered(|user| user.name = "J\nD".into()).unwrap().contains_key("remote-name"));
    }

    #[test]
    fn no_group_name_passes_for_two() {
        let headers =
            rendered(|user| user.groups = vec!["a,admins".into(), "50%\n".into()]).unwrap();
        assert_eq!(headers["remote-groups"], "a%2Cadmins,50%25%0A");
    }

    #[test]
    fn groups_are_told_whole_or_not_at_all() {
        let fits = vec!["g".repeat(MAX_GROUPS)];
        let headers = rendered(|user| user.groups = fits).unwrap();
        assert_eq!(headers["remote-groups"].len(), MAX_GROUPS);
        let more = vec!["g".repeat(MAX_GROUPS - 1), "h".into()];
        assert!(!rendered(|user| user.groups = more).unwrap().contains_key("remote-groups"));
    }
}

//! `[front.headers]`

use std::str::FromStr;

use http::HeaderName;

use crate::config::reading::{Notes, Word, section};

section! {
    /// `[front.headers]`
    Written {
        user: HeaderName = r#""Remote-User""#, Reload, "Carries the login name.";
        name: HeaderName = r#""Remote-Name""#, Reload, "Carries the full name.";
        email: HeaderName = r#""Remote-Email""#, Reload, "Carries the mail address.";
        groups: HeaderName = r#""Remote-Groups""#, Reload, "Carries the groups, separated by commas.";
        company: HeaderName = r#""Remote-Company""#, Reload, "Carries the tenant.";
        admin: HeaderName = r#""Remote-Admin""#, Reload, "Carries the admin level: 0, 1 or 2.";
        mechanism: HeaderName = r#""Remote-Mechanism""#, Reload, "Carries the mechanism of the sign-on.";
        assertion: HeaderName = r#""Doorward-Assertion""#, Reload, "Carries the signed assertion.";
    }
}

/// `[front.headers]`: names under which the application is told who is there.
#[derive(Clone, Debug)]
pub(crate) struct HeaderNames {
    /// Login name (`Remote-User`).
    pub user: http::HeaderName,
    /// Full name (`Remote-Name`).
    pub name: http::HeaderName,
    /// Mail address (`Remote-Email`).
    pub email: http::HeaderName,
    /// Groups, comma separated (`Remote-Groups`).
    pub groups: http::HeaderName,
    /// Tenant (`Remote-Company`).
    pub company: http::HeaderName,
    /// Admin level 0, 1, 2 (`Remote-Admin`).
    pub admin: http::HeaderName,
    /// Mechanism (`Remote-Mechanism`).
    pub mechanism: http::HeaderName,
    /// Signed assertion (`Doorward-Assertion`).
    pub assertion: http::HeaderName,
}

pub(super) fn check(written: &Written, notes: &mut Notes<'_>) -> HeaderNames {
    let names = [
        &written.user,
        &written.name,
        &written.email,
        &written.groups,
        &written.company,
        &written.admin,
        &written.mechanism,
        &written.assertion,
    ];
    for (index, given) in names.iter().enumerate() {
        let twin = names.iter().take(index).find(|other| folded(other) == folded(given));
        if let Some(twin) = twin {
            // One of the two may be a default: the complaint goes to the one that is written.
            let (here, there) = if given.is_set() { (given, twin) } else { (twin, given) };
            notes.error(
                &here.at,
                format!(
                    "{} reads the same as the name in {}; choose another",
                    here.value, there.at.key
                ),
            );
        }
    }
    HeaderNames {
        user: written.user.value.clone(),
        name: written.name.value.clone(),
        email: written.email.value.clone(),
        groups: written.groups.value.clone(),
        company: written.company.value.clone(),
        admin: written.admin.value.clone(),
        mechanism: written.mechanism.value.clone(),
        assertion: written.assertion.value.clone(),
    }
}

/// The name as an application sees it through CGI (RFC 3875 4.1.18): what differs only there is one name.
fn folded(name: &HeaderName) -> String {
    name.as_str().replace(['_', '.'], "-")
}

impl Word for HeaderName {
    const TYPE: &'static str = "header name";

    fn parse(text: &str) -> Result<Self, String> {
        let Ok(name) = Self::from_str(text) else {
            return Err("is not a header name; use letters, digits and hyphens".to_owned());
        };
        if RESERVED_HEADERS.contains(&name.as_str()) || name.as_str().starts_with("x-forwarded-") {
            return Err("is a standard header of HTTP; choose another name".to_owned());
        }
        Ok(name)
    }
}

/// Headers that frame a message, route it, or carry credentials.
const RESERVED_HEADERS: &[&str] = &[
    "authorization",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "set-cookie",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "www-authenticate",
];

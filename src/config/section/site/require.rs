//! `site.require`: who may use it.

use std::fmt;

use super::{File, Written};
use crate::config::reading::{Notes, Word};

/// `site.require`
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Requirement {
    /// Whoever is signed on.
    ValidUser,
    /// `user:NAME`
    User(String),
    /// The same where `John` and `john` are two people in some realm.
    UserExactly(String),
    /// `group:NAME` or `group:S-1-5-…`
    Group(String),
    /// `company:NAME`
    Company(String),
    /// An administrator of any level.
    Admin,
}

pub(super) fn check(written: &Written, file: &File, notes: &mut Notes<'_>) -> Vec<Requirement> {
    if written.require.is_empty() {
        notes.error(&written.require.at, "is empty, so nobody could use the site; write [\"valid-user\"] to let in everybody who is signed on");
    }
    let case_counts = file.core.realm.iter().any(|realm| realm.case_sensitive.value);
    let mut required = Vec::new();
    for given in written.require.iter() {
        if let Some(sentence) = unmeetable(&given.value) {
            notes.error(&given.at, format!("{:?} {sentence}", given.value.to_string()));
        }
        required.push(match &given.value {
            Requirement::User(name) if case_counts => Requirement::UserExactly(name.clone()),
            other => other.clone(),
        });
    }
    required
}

/// Why nobody can meet a requirement in this version, and what to write instead. A site
/// that asks for it would lock everybody out.
fn unmeetable(requirement: &Requirement) -> Option<String> {
    match requirement {
        Requirement::Group(name) if is_sid(name) => None,
        Requirement::Group(name) if name.to_ascii_uppercase().starts_with("S-1-") => Some(
            "is not a whole SID; write it as group:S-1-5-21-1004336348-1177238915-682003330-513, as /.doorward/whoami shows it to its members"
                .to_owned(),
        ),
        Requirement::Group(name) => Some(format!(
            "is met by nobody, because this version knows groups only by SID; write group: and the SID. To find it, run `wbinfo --name-to-sid='{}'` on a host that has joined the domain, or (Get-ADGroup '{}').SID.Value in PowerShell",
            name.replace('\'', "'\\''"),
            name.replace('\'', "''"),
        )),
        Requirement::Company(_) => Some(
            "is met by nobody, because tenants are not in this version of Doorward; remove it"
                .to_owned(),
        ),
        Requirement::Admin => Some(
            "is met by nobody, because this version has no administrators among its users; write user:NAME, or group: and the SID of their group"
                .to_owned(),
        ),
        _ => None,
    }
}

/// Whether it is a SID of Windows: `S-1-`, an authority, and numbers below it.
fn is_sid(text: &str) -> bool {
    let mut parts = text.split('-');
    let begins =
        parts.next().is_some_and(|s| s.eq_ignore_ascii_case("s")) && parts.next() == Some("1");
    let number = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    begins && parts.clone().all(|part| number(&part)) && parts.count() >= 2
}

impl Word for Requirement {
    const TYPE: &'static str = "requirement";

    fn parse(text: &str) -> Result<Self, String> {
        let (kind, name) = match text.split_once(':') {
            Some((kind, name)) => (kind, Some(name)),
            None => (text, None),
        };
        let named =
            name.filter(|name| !name.trim().is_empty() && !name.chars().any(char::is_control));
        match (kind, name, named) {
            ("valid-user", None, _) => Ok(Self::ValidUser),
            ("admin", None, _) => Ok(Self::Admin),
            ("user", _, Some(name)) => Ok(Self::User(name.to_owned())),
            ("group", _, Some(name)) => Ok(Self::Group(name.to_owned())),
            ("company", _, Some(name)) => Ok(Self::Company(name.to_owned())),
            _ => Err("is not a requirement; write valid-user, user:NAME, group:NAME, company:NAME or admin".to_owned()),
        }
    }
}

/// As in the configuration.
impl fmt::Display for Requirement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ValidUser => f.write_str("valid-user"),
            Self::User(name) | Self::UserExactly(name) => write!(f, "user:{name}"),
            Self::Group(name) => write!(f, "group:{name}"),
            Self::Company(name) => write!(f, "company:{name}"),
            Self::Admin => f.write_str("admin"),
        }
    }
}

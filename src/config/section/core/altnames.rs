//! `[core.altnames]`: the one section whose keys are the administrator's own.

use toml::Spanned;
use toml::de::DeValue;

use crate::config::reading::{At, FromToml, Notes, wrong_type};

/// Principals and the login names they have, ordered by principal.
#[derive(Clone, Debug)]
pub(in crate::config) struct Altnames(pub(in crate::config) Vec<(String, String)>);

impl FromToml for Altnames {
    fn type_name() -> String {
        "section of principal = login name".to_owned()
    }

    fn from_toml(value: &Spanned<DeValue<'_>>, at: &At, notes: &mut Notes<'_>) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            return wrong_type::<Self>(value, "write [core.altnames]", at, notes);
        };
        let mut names = Vec::new();
        for (principal, login) in table {
            let key = format!("{}.{:?}", at.key, principal.get_ref());
            let principal_at = At { key: key.clone(), offset: Some(principal.span().start) };
            let login_at = At { key, offset: Some(login.span().start) };
            if let Some(sentence) = wrong_principal(principal.get_ref()) {
                notes.error(&principal_at, sentence);
            }
            match login.get_ref() {
                DeValue::String(name) => match wrong_login(name) {
                    Some(sentence) => notes.error(&login_at, format!("{name:?} {sentence}")),
                    None => names.push((principal.get_ref().to_string(), name.to_string())),
                },
                DeValue::Table(_) => notes.error(
                    &principal_at,
                    "is read as a section because of its dot; put the whole principal in quotes",
                ),
                _ => {
                    wrong_type::<String>(
                        login,
                        "write \"principal\" = \"login\"",
                        &login_at,
                        notes,
                    );
                }
            }
        }
        (names.len() == table.len()).then_some(Self(names))
    }
}

fn wrong_principal(principal: &str) -> Option<&'static str> {
    if principal.is_empty() {
        return Some("is not a principal; write it as \"john@EXAMPLE.ORG\"");
    }
    if principal.chars().any(char::is_control) {
        return Some("contains a control character; write the principal as a log line shows it");
    }
    None
}

/// Login names are plain: whatever separates a name from its realm, domain or
/// instance could be stripped again further on.
fn wrong_login(login: &str) -> Option<&'static str> {
    if login.trim().is_empty() || login.trim() != login {
        return Some("is empty, or has blanks around it; write only the login name");
    }
    if login.chars().any(|c| c.is_control() || matches!(c, '@' | '\\' | '/')) {
        return Some("is not a login name; write it without @, \\, / and control characters");
    }
    if login.eq_ignore_ascii_case("SYSTEM") {
        return Some(
            "is Doorward itself; to give an account its rights, use core.local_admin_users",
        );
    }
    None
}

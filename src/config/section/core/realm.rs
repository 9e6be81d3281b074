//! `[[core.realm]]`

use toml::Spanned;
use toml::de::DeValue;

use crate::config::reading::{Diagnostics, FromToml, Located, Location, section, wrong_type};
use crate::identity::{Realm, Strip};

section! {
    /// `[[core.realm]]`
    Written {
        realm: String = r#""""#, Reload, "Kerberos realm.";
        domain: String = r#""""#, Reload, "Windows (NetBIOS) name of the domain.";
        strip: Strip = "true", Reload, "How the realm is removed from the login name.";
        case_sensitive: bool = "false", Reload, "Whether John and john are two people.";
    }
    absent {
        company: String = r#""""#, Refused, "Tenant of the realm's people.";
    }
}

pub(super) fn check(list: &[Located<Written>], diagnostics: &mut Diagnostics<'_>) -> Vec<Realm> {
    for (index, entry) in list.iter().enumerate() {
        if entry.realm.is_empty() && entry.domain.is_empty() {
            diagnostics.error(&entry.at, "has neither realm nor domain; set one");
        }
        is_place(&entry.realm, diagnostics);
        is_place(&entry.domain, diagnostics);
        let capitals = entry.realm.to_ascii_uppercase();
        if *entry.realm != capitals {
            let said = format!(
                "{:?} has small letters, and case matters in Kerberos: passwords are checked in a \
                 realm of exactly this spelling; write {capitals:?}, unless klist shows the realm \
                 with this spelling",
                entry.realm.value
            );
            diagnostics.warn(&entry.realm.at, said);
        }
        for earlier in list.iter().take(index) {
            twins(&earlier.realm, &entry.realm, diagnostics);
            twins(&earlier.domain, &entry.domain, diagnostics);
        }
    }
    let realm = |given: &Located<Written>| Realm {
        realm: given.realm.value.clone(),
        domain: given.domain.value.clone(),
        strip: given.strip.value,
        company: String::new(),
        case_sensitive: given.case_sensitive.value,
    };
    list.iter().map(realm).collect()
}

/// Complains of what is no name of a realm or domain.
pub(in crate::config) fn is_place(name: &Located<String>, diagnostics: &mut Diagnostics<'_>) {
    if name.contains(|c: char| c.is_whitespace() || matches!(c, '@' | '\\' | '/')) {
        let said = format!(
            "{:?} is not the name of a realm or domain; write it alone, as EXAMPLE.ORG",
            name.value
        );
        diagnostics.error(&name.at, said);
    }
}

fn twins(earlier: &Located<String>, later: &Located<String>, diagnostics: &mut Diagnostics<'_>) {
    if !later.is_empty() && later.eq_ignore_ascii_case(earlier) {
        let line = diagnostics.line(&earlier.at);
        diagnostics.error(
            &later.at,
            format!("{:?} is already in the list (line {line}); remove one", later.value),
        );
    }
}

impl FromToml for Strip {
    fn type_name() -> String {
        "true, false, \"zcp\" or \"kopano\"".to_owned()
    }

    fn from_toml(
        value: &Spanned<DeValue<'_>>,
        at: &Location,
        diagnostics: &mut Diagnostics<'_>,
    ) -> Option<Self> {
        match value.get_ref() {
            DeValue::Boolean(true) => Some(Self::Exact),
            DeValue::Boolean(false) => Some(Self::Keep),
            DeValue::String(rule) if rule == "zcp" => Some(Self::Zcp),
            DeValue::String(rule) if rule == "kopano" => Some(Self::Kopano),
            DeValue::String(rule) => {
                diagnostics.error(
                    at,
                    format!("{rule:?} is not a rule; write true, false, \"zcp\" or \"kopano\""),
                );
                None
            }
            _ => wrong_type::<Self>(value, "write one of these", at, diagnostics),
        }
    }
}
